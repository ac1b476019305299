"""The marker of a destination, ``_manifest/place.json``: the format and the project of its objects.

A run creates or completes the marker with a conditional write before its first object. Of two first runs at once in
different formats or of different projects, one writes objects and the other one fails. A destination of an earlier
version gets its marker at the next landing, from its manifests.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from source_amplitude.api.redaction import printable, without_controls
from source_amplitude.errors import InvalidManifestError, OtherFormatError, OtherProjectError
from source_amplitude.landing.fields import Fields
from source_amplitude.landing.layout import ARRAYS_FOLDER, PLACE_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.landing.destination import Destination
    from source_amplitude.landing.store import Store

VERSION = 1

_RAW_OBJECTS = frozenset({"raw", "json"})
"""Formats with raw objects; ``json`` adds arrays, which a raw landing leaves as they are."""
_KNOWN_FIELDS = ("version", "format", "project")
_WITHOUT_OBJECTS = f"If the destination does not contain any objects, delete its {PLACE_PATH} instead."


@dataclass(frozen=True)
class Place:
    """The content of a marker.

    Attributes:
        format: The value of ``--format``.
        project: Amplitude's number of the project; None until an archive with a project is landed.
        more: Fields of later versions, which are kept.
    """

    format: str
    project: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def place_to_bytes(place: Place) -> bytes:
    """Return the marker as indented JSON."""
    saved = {"version": VERSION, "format": place.format, "project": place.project, **place.more}
    return json.dumps(saved, indent=1).encode() + b"\n"


def place_from_bytes(body: bytes) -> Place | None:
    """Return the marker, or None if the file is empty, as a power failure can leave it.

    Raises:
        InvalidManifestError: ``body`` is not a valid marker, or is of another version.
    """
    if not body:
        return None
    try:
        saved = Fields(json.loads(body))
        saved.require_version(VERSION)
        more = {without_controls(name): value for name, value in saved.items() if name not in _KNOWN_FIELDS}
        return Place(saved.filled_text("format"), saved.text_or_none("project"), more)
    except (ValueError, RecursionError) as error:
        raise InvalidManifestError(f"{PLACE_PATH} is not valid ({printable(str(error))}).") from None


def read_place(store: Store) -> Place | None:
    """Return the marker of a destination, or None without one."""
    content = store.get(PLACE_PATH)
    return place_from_bytes(content.body) if content else None


def agreed(mine: Place, theirs: Place | None, destination: object) -> Place:
    """Return the marker that two runs agree on.

    Raises:
        OtherFormatError: Their format does not fit ours.
        OtherProjectError: Their project is not ours.
    """
    if theirs is None:
        return mine
    formats = {mine.format, theirs.format}
    if len(formats) > 1 and not formats <= _RAW_OBJECTS:
        raise OtherFormatError(
            f"{destination} is used for {theirs.format} files.",
            tried="No object was written.",
            next_step=f"Use --format {theirs.format}, or another --to. {_WITHOUT_OBJECTS}",
        )
    if mine.project and theirs.project and mine.project != theirs.project:
        raise OtherProjectError(
            f"{destination} belongs to project {theirs.project}, but these keys are for project {mine.project}.",
            tried="No object was written.",
            next_step=f"Use one folder per project. {_WITHOUT_OBJECTS}",
        )
    return replace(
        theirs,
        format="json" if formats == _RAW_OBJECTS else theirs.format,
        project=theirs.project or mine.project,
    )


def with_arrays(format_: str, destination: Destination) -> str:
    """Return ``json`` for raw objects in a folder that also has arrays, otherwise ``format_``."""
    has_arrays = destination.folder is not None and (destination.folder / ARRAYS_FOLDER).is_dir()
    return "json" if has_arrays and format_ in ("", "raw") else format_


class Claim:
    """The claim of one run to a destination; not thread-safe.

    Args:
        format_: The value of ``--format``.
        found: The marker in the store; None without one.
        more: Further fields of a new marker.

    Raises:
        OtherFormatError: The destination is for another format.
    """

    def __init__(self, store: Store, format_: str, found: Place | None, more: Mapping[str, Any] | None = None) -> None:
        self._store = store
        self._mine = Place(format_, more=more or {})
        self._current = found
        agreed(self._mine, found, store.destination)

    @property
    def current(self) -> Place | None:
        """The marker in the store, as of the last `make`."""
        return self._current

    def make(self, project: str | None) -> None:
        """Write the marker if it is missing or incomplete. Call this before an object of ``project`` is written.

        Raises:
            OtherFormatError: Another run has claimed the destination for another format.
            OtherProjectError: Another run has claimed the destination for another project.
        """
        mine = replace(self._mine, project=without_controls(project) if project else None)
        if self._current is not None and agreed(mine, self._current, self._store.destination) == self._current:
            return
        written = mine

        def change(current: bytes | None) -> bytes:
            nonlocal written
            theirs = place_from_bytes(current) if current else None
            written = agreed(mine, theirs, self._store.destination)
            return current if current and written == theirs else place_to_bytes(written)

        self._store.update(PLACE_PATH, change, seems_new=self._current is None)
        self._current = written
