"""The manifest of a landed hour: a small JSON object, written after the hour's objects.

It records the result of the hour, its objects and their content. Manifests are per hour, not per day or run, so that
two runs over the same day do not overwrite each other's hours.

Pure functions: this module knows neither the store nor Amplitude.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from source_amplitude.api.redaction import printable, without_controls
from source_amplitude.errors import InvalidManifestError
from source_amplitude.landing.fields import Fields
from source_amplitude.landing.layout import hour_of_manifest
from source_amplitude.members import Fingerprint
from source_amplitude.windows import HourWindow, hour_window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

VERSION = 1

_HOUR_FORMAT = "%Y-%m-%dT%H"
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class HourState(Enum):
    """The result of an hour's last landing.

    ``open``: Amplitude had no files; the hour is empty or will be published late. ``empty``: Amplitude had no files
    more than a day after they were due, and a later hour has events.
    """

    DONE = "done"
    EMPTY = "empty"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True)
class LandedObject:
    """One object of an hour and its content. Control characters in its texts are escaped.

    Attributes:
        name: The object's name without its folder.
        member: Full name of the archive's member that the object was made from.
        crc32: CRC-32 of the object.
        packed_bytes: Size of the member, a gzip file.
        packed_crc32: CRC-32 of the member; it shows, with the size, whether Amplitude has changed the member.
        content: Length, CRC-32 and malformed lines of the member's unpacked content.
        etag: The etag that the store returned for the object.
    """

    name: str
    member: str
    object_bytes: int
    crc32: int
    packed_bytes: int
    packed_crc32: int
    events: int
    content: Fingerprint
    etag: str = ""

    def __post_init__(self) -> None:
        _escape_texts(self, "name", "member", "etag")


@dataclass(frozen=True)
class Manifest:
    """The record of one landed hour (of one day, if Amplitude has day files).

    Control characters in its texts are escaped, so that they never reach a terminal, a log or a file.

    Attributes:
        asked_at: When the hour's archive was requested, aware UTC, whole seconds.
        format: The format of the objects; empty without objects.
        project: The project of the members; None without members.
        objects: The hour's objects, ordered by name.
        event_types: Event counts of the most frequent types; empty if they were not counted.
        reason: Why the hour failed; else empty.
    """

    window: HourWindow
    state: HourState
    asked_at: datetime
    format: str = ""
    project: str | None = None
    objects: tuple[LandedObject, ...] = ()
    event_types: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        _escape_texts(self, "format", "project", "reason")
        if not all(map(str.isprintable, self.event_types)):
            object.__setattr__(self, "event_types", _with_escaped_names(self.event_types))

    @property
    def events(self) -> int:
        return sum(each.events for each in self.objects)

    @property
    def object_bytes(self) -> int:
        return sum(each.object_bytes for each in self.objects)

    @property
    def malformed_lines(self) -> int:
        """Lines that are not JSON objects, and were left out; 0 for raw objects, which keep every line."""
        return sum(each.content.malformed_lines for each in self.objects)


def _escape_texts(saved: object, *names: str) -> None:
    """Escape fields of a frozen dataclass while it is created."""
    for name in names:
        value: str | None = getattr(saved, name)
        if value and not value.isprintable():
            object.__setattr__(saved, name, without_controls(value))


def _with_escaped_names(counts: Mapping[str, int]) -> dict[str, int]:
    """Return ``counts`` with escaped names; the counts of names that become equal are added."""
    escaped = Counter[str]()
    for name, count in counts.items():
        escaped[without_controls(name)] += count
    return dict(escaped)


def manifest_to_bytes(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON."""
    saved: dict[str, Any] = {
        "version": VERSION,
        "hour": f"{manifest.window.start:{_HOUR_FORMAT}}",
        "hours": manifest.window.hours,
        "state": manifest.state.value,
        "asked_at": manifest.asked_at.strftime(_TIME_FORMAT),
        "format": manifest.format,
        "project": manifest.project,
        "events": manifest.events,
        "bytes": manifest.object_bytes,
        "malformed_lines": manifest.malformed_lines,
        "objects": [_object_to_json(each) for each in manifest.objects],
    }
    if manifest.event_types:
        saved["event_types"] = dict(manifest.event_types)
    if manifest.reason:
        saved["reason"] = manifest.reason
    return json.dumps(saved, indent=1).encode() + b"\n"


def manifest_from_bytes(path: str, body: bytes) -> Manifest:
    """Return the manifest at ``path``.

    Raises:
        InvalidManifestError: ``body`` is not a valid manifest, or is for another hour or version.
    """
    try:
        saved = Fields(json.loads(body))
        saved.require_version(VERSION)
        window = hour_window(saved.time("hour", _HOUR_FORMAT))
        if hour_of_manifest(path) != window.start:
            raise InvalidManifestError(f"{path} is for another hour: {saved.text('hour')}.")
        return Manifest(
            window=window,
            state=HourState(saved.one_of("state", [each.value for each in HourState])),
            asked_at=saved.time("asked_at", _TIME_FORMAT),
            format=saved.text("format"),
            project=saved.text_or_none("project"),
            objects=tuple(_object_from_json(each) for each in saved.objects("objects")),
            event_types=saved.counts("event_types"),
            reason=saved.text_if_any("reason"),
        )
    except (ValueError, RecursionError) as error:
        raise InvalidManifestError(f"{path} is not a valid manifest ({printable(str(error))}).") from None


def _object_to_json(landed: LandedObject) -> dict[str, Any]:
    return {
        "name": landed.name,
        "member": landed.member,
        "bytes": landed.object_bytes,
        "crc32": f"{landed.crc32:08x}",
        "packed_bytes": landed.packed_bytes,
        "packed_crc32": f"{landed.packed_crc32:08x}",
        "events": landed.events,
        "content_bytes": landed.content.content_bytes,
        "content_crc32": f"{landed.content.crc32:08x}",
        "malformed_lines": landed.content.malformed_lines,
        "etag": landed.etag,
    }


def _object_from_json(saved: Fields) -> LandedObject:
    return LandedObject(
        name=saved.file_name("name"),
        member=saved.text("member"),
        object_bytes=saved.number("bytes"),
        crc32=saved.crc32("crc32"),
        packed_bytes=saved.number("packed_bytes"),
        packed_crc32=saved.crc32("packed_crc32"),
        events=saved.number("events"),
        content=Fingerprint(
            saved.number("content_bytes"), saved.crc32("content_crc32"), saved.number("malformed_lines")
        ),
        etag=saved.text("etag"),
    )


def merged(mine: Manifest, theirs: Manifest) -> Manifest:
    """Return the manifest to write if another run has written ``theirs`` for the same hour.

    The later response of Amplitude decides. Objects that only the other manifest lists are kept: they are in the store.
    """
    if _rank(mine) < _rank(theirs):
        return merged(theirs, mine)
    if not theirs.objects:
        return mine
    # The object of a member may have a new name: keep it once.
    known = {each.name for each in mine.objects} | {each.member for each in mine.objects}
    kept = tuple(each for each in theirs.objects if not known & {each.name, each.member})
    return Manifest(
        window=mine.window,
        state=HourState.DONE if HourState.DONE in (mine.state, theirs.state) else HourState.FAILED,
        asked_at=mine.asked_at,
        format=mine.format or theirs.format,
        project=mine.project or theirs.project,
        objects=tuple(sorted((*mine.objects, *kept), key=lambda each: each.name)),
        event_types=mine.event_types or theirs.event_types,
        reason="" if HourState.DONE in (mine.state, theirs.state) else mine.reason or theirs.reason,
    )


def _rank(manifest: Manifest) -> tuple[bool, datetime]:
    return manifest.state is not HourState.FAILED, manifest.asked_at
