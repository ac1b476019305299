"""One hour of a proven archive into the store: its objects, then its manifest.

Landing an hour twice changes nothing: a member that the manifest names, whose object has the size that was landed and
which is the same at Amplitude (size and CRC-32 of its gzip file), is left alone, and so is a manifest that would say
nothing new.

Two runs may land one hour at the same time. Objects are written over each other in any order, and manifests are
written only over the one that was read (`Store.update`), so that the second run sees what the first has written:

* Both name the same objects with the same content: they are merged, and the later answer of Amplitude decides.
* They name an object of different content, or the store has an object in another version (etag) than was written: which
  content is there is not certain. These objects leave the manifest, and the hour has failed; the run that sees it asks
  for the hour once more, and the next one does as well if this one is killed.
* An object of the other manifest that is no longer in the store is left out.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from source_amplitude.errors import CorruptArchiveError, StoreError
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
    """What the store held of an hour when the run began.

    Attributes:
        sizes: Bytes of what is in the hour's folder, by name.
        is_due: Whether the time of another look is worth a new manifest by itself.
    """

    window: HourWindow
    manifest: Manifest | None
    sizes: Mapping[str, int]
    is_due: bool

    def landed(self, member: Member) -> LandedObject | None:
        objects = self.manifest.objects if self.manifest else ()
        return next((each for each in objects if each.member == member.text), None)

    def gone(self) -> frozenset[str]:
        """Return the names of objects that the manifest has and the store has not."""
        return frozenset(each.name for each in (self.manifest.objects if self.manifest else ())) - self.sizes.keys()


@dataclass(frozen=True)
class HourWriter:
    """Writes one hour; several are at work at once.

    Attributes:
        asked_at: When the request was sent that brought the archive.
        raise_if_stopped: Called before each object.
    """

    store: Store
    format: Format
    found: FoundHour
    asked_at: datetime
    raise_if_stopped: Callable[[], None]

    def write(self, archive: Archive, members: Sequence[Member]) -> HourResult:
        """Write what is new or changed of ``members`` and then the manifest.

        Raises:
            AmplitudeError: The store fails; what was written is without a manifest then, and is written again.
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
        for name in sorted(self.found.gone() - {each.name for each in manifest.objects}):
            _logger.warning("%s of %s is gone from the store, and Amplitude has it no more.", name, window)
        if manifest.state is HourState.FAILED:
            result.broken = StoreError(manifest.reason)
        else:
            result.manifest = manifest
        return result

    def _unchanged(self, member: Member, name: str) -> LandedObject | None:
        """Return what the manifest says of a member if its object is there, as Amplitude has it now."""
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
            there = f"{self.found.sizes[name]:,}"
            text = "%s of %s had %s bytes in the store, %s were landed: replaced."
            _logger.warning(text, name, self.found.window, there, f"{landed.object_bytes:,}")
            return
        _logger.warning(
            "Amplitude has changed %s of %s since it was landed (%s events, now %s): replaced.",
            name,
            self.found.window,
            f"{landed.events:,}",
            f"{rendered.events:,}",
        )

    def _event_types(self, result: HourResult) -> Mapping[str, int]:
        """Return the hour's events by type; none where not all of its objects were counted, now or before."""
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
        """Write the manifest unless it would say nothing new; return what is in the store."""
        before, gone = self.found.manifest, self.found.gone()
        if before is None or before.state is not HourState.DONE or is_new or self.found.is_due or gone:
            return write_manifest(self.store, mine, before, gone=gone)
        return before


def _is_same(landed: LandedObject, member: Member) -> bool:
    return (landed.packed_bytes, landed.packed_crc32) == (member.packed_bytes, member.packed_crc32)


def write_manifest(
    store: Store, mine: Manifest, before: Manifest | None, *, gone: frozenset[str] = frozenset()
) -> Manifest:
    """Write a manifest, together with what another run has written for the same hour; return what was written.

    Args:
        before: The manifest when the run began.
        gone: Objects that were not there, whatever another manifest says.
    """
    path, written = manifest_path(mine.window.start), mine

    def change(conservative_now: bytes | None) -> bytes:
        nonlocal written
        theirs = manifest_from_bytes(path, conservative_now) if conservative_now else None
        written = mine
        if theirs is not None and (theirs != before or theirs.objects):
            ours, folder = {each.name for each in mine.objects}, hour_folder(mine.window.start)
            lost = {name for name in gone - ours if store.etag(f"{folder}/{name}") is None}
            kept = tuple(each for each in theirs.objects if each.name not in lost)
            written = merged(mine, replace(theirs, objects=kept))
            if theirs != before:
                unquestioned = frozenset(before.objects if before else ())
                names = _in_question(mine, theirs, unquestioned) | _overwritten(mine, written, store, unquestioned)
                written = _without(names, written)
        return manifest_to_bytes(written)

    store.update(path, change, seems_new=before is None)
    return written


def _in_question(mine: Manifest, theirs: Manifest, unquestioned: frozenset[LandedObject]) -> set[str]:
    """Return the objects of which two runs had different answers; which one was the later is not certain."""
    new = {each.name: each for each in theirs.objects if each not in unquestioned}
    return {each.name for each in mine.objects if each.name in new and each.packed_crc32 != new[each.name].packed_crc32}


def _overwritten(mine: Manifest, written: Manifest, store: Store, unquestioned: frozenset[LandedObject]) -> set[str]:
    """Return those of our objects that are not in the store as ``written`` says: one run wrote over the other's."""
    folder, names = hour_folder(mine.window.start), {each.name for each in mine.objects}
    new = (each for each in written.objects if each.name in names and each not in unquestioned)
    return {each.name for each in new if store.etag(f"{folder}/{each.name}") != each.etag}


def _without(names: set[str], manifest: Manifest) -> Manifest:
    """Return ``manifest`` without these objects and as failed, or as it is where there are none."""
    if not names:
        return manifest
    return replace(
        manifest,
        state=HourState.FAILED,
        objects=tuple(each for each in manifest.objects if each.name not in names),
        event_types={},
        reason=f"Another landing wrote {', '.join(sorted(names))} of {manifest.window} at the same time.",
    )
