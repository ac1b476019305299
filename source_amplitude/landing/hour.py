"""Write one hour of a verified archive to the store: first its objects, then its manifest.

Idempotent: a member is skipped if the manifest lists it, its object has the recorded size, and Amplitude's gzip file
is unchanged (size and CRC-32). A manifest without changes is not written again.

Two runs may land the same hour at the same time. They may overwrite each other's objects in any order. A manifest is
replaced only if it is still the one that was read (`Store.update`), so the second run sees the first run's manifest:

* Same objects, same content: the manifests are merged, and the later response of Amplitude decides.
* Different content for one object, or another etag in the store than the written one: the object's content is
  uncertain. The object is removed from the manifest, and the hour fails. This run requests the hour again; if it is
  killed, the next run does.
* Objects of the other manifest that are missing in the store are removed from the manifest.

Manifests are merged only if their formats and projects agree (`place` keeps runs from getting this far).
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import without_controls
from source_amplitude.errors import CorruptArchiveError, OtherFormatError, OtherProjectError, StoreError
from source_amplitude.landing.formats.body import most_frequent
from source_amplitude.landing.layout import hour_folder, manifest_path, object_names
from source_amplitude.landing.manifest import (
    HourState,
    LandedObject,
    Manifest,
    manifest_from_bytes,
    manifest_to_bytes,
    merged,
)
from source_amplitude.landing.results import HourResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from source_amplitude.archive import Archive, Member
    from source_amplitude.landing.formats import Format, Rendered
    from source_amplitude.landing.store import Store
    from source_amplitude.windows import HourWindow

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class FoundHour:
    """The state of an hour in the store at the start of the run.

    Attributes:
        sizes: Object sizes in bytes in the hour's folder, by name.
        is_recheck: Whether a recheck age was passed, so that the manifest's `asked_at` must be updated.
    """

    window: HourWindow
    manifest: Manifest | None
    sizes: Mapping[str, int]
    is_recheck: bool

    def landed(self, member: Member) -> LandedObject | None:
        objects = self.manifest.objects if self.manifest else ()
        name = without_controls(member.text)  # as in the manifest
        return next((each for each in objects if each.member == name), None)

    def missing_names(self) -> frozenset[str]:
        """Return the names of objects that are in the manifest but not in the store."""
        return frozenset(each.name for each in (self.manifest.objects if self.manifest else ())) - self.sizes.keys()


@dataclass(frozen=True)
class HourWriter:
    """Writes one hour; several writers run at the same time.

    Attributes:
        asked_at: When the archive's request was sent.
        raise_if_stopped: Called before each object.
    """

    store: Store
    format: Format
    found: FoundHour
    asked_at: datetime
    raise_if_stopped: Callable[[], None]

    def write(self, archive: Archive, members: Sequence[Member]) -> HourResult:
        """Write the new and changed ``members``, then the manifest.

        Raises:
            AmplitudeError: The store fails. The written objects have no manifest, so the next run writes them again.
        """
        window = self.found.window
        result = HourResult(window)
        objects = []
        for member, name in object_names(members, window.start, self.format.suffix):
            self.raise_if_stopped()
            landed = self._unchanged(member, name)
            if landed is not None:
                result.objects.unchanged += 1
            else:
                try:
                    rendered = self.format.render(archive, member)
                except CorruptArchiveError as error:
                    result.broken = error
                    return result
                landed = self._put(name, member, rendered, result)
            objects.append(landed)
        result.objects.events = sum(each.events for each in objects)
        project = next((member.name.project for member in members if member.name), None)
        manifest = self._write_manifest(
            Manifest(
                window=window,
                state=HourState.DONE,
                asked_at=self.asked_at.replace(microsecond=0),
                format=self.format.name,
                project=project,
                objects=tuple(sorted(objects, key=lambda each: each.name)),
                event_types=most_frequent(self._event_types(result)),
            ),
            is_new=result.objects.has_changes,
        )
        for name in sorted(self.found.missing_names() - {each.name for each in manifest.objects}):
            _logger.warning("%s of %s is missing in the store and no longer at Amplitude.", name, window)
        if manifest.state is HourState.FAILED:
            result.broken = StoreError(manifest.reason)
        else:
            result.manifest = manifest
        return result

    def _unchanged(self, member: Member, name: str) -> LandedObject | None:
        """Return the manifest's entry of a member if its object is in the store and unchanged at Amplitude."""
        landed = self.found.landed(member)
        if landed is None or landed.name != name or self.found.sizes.get(name) != landed.object_bytes:
            return None
        return landed if _is_same(landed, member) else None

    def _put(self, name: str, member: Member, rendered: Rendered, result: HourResult) -> LandedObject:
        with closing(rendered.body):
            path = f"{hour_folder(self.found.window.start)}/{name}"
            etag = self.store.put(path, rendered.body, rendered.object_bytes)
        landed = self.found.landed(member)
        if landed is None or name not in self.found.sizes:
            result.objects.written += 1
        else:
            result.objects.replaced += 1
            self._report_replaced(name, member, landed, rendered)
        result.objects.written_bytes += rendered.object_bytes
        result.rendered[member.text] = rendered
        return LandedObject(
            name=name,
            member=member.text,
            object_bytes=rendered.object_bytes,
            crc32=rendered.crc32,
            packed_bytes=member.packed_bytes,
            packed_crc32=member.packed_crc32,
            events=rendered.events,
            content=rendered.content,
            etag=etag,
        )

    def _report_replaced(self, name: str, member: Member, landed: LandedObject, rendered: Rendered) -> None:
        if _is_same(landed, member):
            size = f"{self.found.sizes[name]:,}"
            text = "Replaced %s of %s: it had %s bytes in the store instead of %s."
            _logger.warning(text, name, self.found.window, size, f"{landed.object_bytes:,}")
            return
        _logger.warning(
            "Replaced %s of %s: Amplitude has changed it since it was landed (%s events, now %s).",
            name,
            self.found.window,
            f"{landed.events:,}",
            f"{rendered.events:,}",
        )

    def _event_types(self, result: HourResult) -> Mapping[str, int]:
        """Return the hour's events by type; empty unless all of its objects were counted, now or before."""
        events = Counter[str]()
        for rendered in result.rendered.values():
            events.update(rendered.event_types)
        if not result.objects.unchanged:
            return events
        before = self.found.manifest.event_types if self.found.manifest else {}
        if result.objects.replaced or not before:
            return {}
        events.update(before)
        return events

    def _write_manifest(self, mine: Manifest, *, is_new: bool) -> Manifest:
        """Write the manifest if it has changed; return the manifest in the store."""
        before, missing = self.found.manifest, self.found.missing_names()
        if before is None or before.state is not HourState.DONE or is_new or self.found.is_recheck or missing:
            return write_manifest(self.store, mine, before, missing=missing)
        return before


def _is_same(landed: LandedObject, member: Member) -> bool:
    return (landed.packed_bytes, landed.packed_crc32) == (member.packed_bytes, member.packed_crc32)


def write_manifest(
    store: Store, mine: Manifest, before: Manifest | None, *, missing: frozenset[str] = frozenset()
) -> Manifest:
    """Write a manifest, merged with another run's manifest of the same hour; return the written one.

    Args:
        before: The manifest at the start of the run.
        missing: Objects that were missing in the store at the start of the run.

    Raises:
        OtherFormatError: The other run landed the hour in another format.
        OtherProjectError: The other run landed the hour of another project.
    """
    path, written = manifest_path(mine.window.start), mine

    def change(current: bytes | None) -> bytes:
        nonlocal written
        theirs = manifest_from_bytes(path, current) if current else None
        written = mine
        if theirs is not None and (theirs != before or theirs.objects):
            _require_same_kind(mine, theirs, store)
            ours, folder = {each.name for each in mine.objects}, hour_folder(mine.window.start)
            lost = {name for name in missing - ours if store.etag(f"{folder}/{name}") is None}
            kept = tuple(each for each in theirs.objects if each.name not in lost)
            written = merged(mine, replace(theirs, objects=kept))
            if theirs != before:
                certain = frozenset(before.objects if before else ())
                names = _conflicting(mine, theirs, certain) | _overwritten(mine, written, store, certain)
                written = _without(names, written)
        return manifest_to_bytes(written)

    store.update(path, change, seems_new=before is None)
    return written


def _require_same_kind(mine: Manifest, theirs: Manifest, store: Store) -> None:
    where = f"{manifest_path(mine.window.start)} in {store.destination}"
    tried = "The manifest was not changed."
    if mine.format and theirs.format and mine.format != theirs.format:
        raise OtherFormatError(f"{where} lists {theirs.format} files of another run, not {mine.format}.", tried=tried)
    if mine.project and theirs.project and mine.project != theirs.project:
        raise OtherProjectError(
            f"{where} is for project {theirs.project}, not for project {mine.project}.",
            tried=tried,
            next_step="Use one folder per project.",
        )


def _conflicting(mine: Manifest, theirs: Manifest, certain: frozenset[LandedObject]) -> set[str]:
    """Return the objects that two concurrent runs wrote with different content (write order unknown)."""
    new = {each.name: each for each in theirs.objects if each not in certain}
    return {each.name for each in mine.objects if each.name in new and each.packed_crc32 != new[each.name].packed_crc32}


def _overwritten(mine: Manifest, written: Manifest, store: Store, certain: frozenset[LandedObject]) -> set[str]:
    """Return our objects whose etag in the store differs from ``written``: one run overwrote the other's object."""
    folder, names = hour_folder(mine.window.start), {each.name for each in mine.objects}
    new = (each for each in written.objects if each.name in names and each not in certain)
    return {each.name for each in new if store.etag(f"{folder}/{each.name}") != each.etag}


def _without(names: set[str], manifest: Manifest) -> Manifest:
    """Return ``manifest`` as failed and without these objects; unchanged if ``names`` is empty."""
    if not names:
        return manifest
    return replace(
        manifest,
        state=HourState.FAILED,
        objects=tuple(each for each in manifest.objects if each.name not in names),
        event_types={},
        reason=f"Another run wrote {', '.join(sorted(names))} of {manifest.window} at the same time.",
    )
