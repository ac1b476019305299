"""One hour of a proven archive into the store: its objects, then its manifest."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field, replace
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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from source_amplitude.archive import Archive, Member
    from source_amplitude.errors import RetryableError
    from source_amplitude.landing.formats import Format, Rendered
    from source_amplitude.landing.store import Store
    from source_amplitude.records import Findings
    from source_amplitude.windows import HourWindow

_logger = logging.getLogger("airbyte")


@dataclass
class HourResult:
    """What landing an hour came to.

    Attributes:
        window: The hour.
        manifest: What is in the store now; None where the hour is broken.
        written: Objects that were not there.
        replaced: Objects whose bytes had changed at Amplitude, or in the store.
        unchanged: Objects that were there as Amplitude has them.
        written_bytes: Size of the written and the replaced ones.
        events: Events of all its objects.
        malformed: Member and line number of the first malformed lines.
        malformed_lines: How many lines were left out of what was written now.
        findings: What was odd about the lines of what was written now, by member.
        broken: Why a member could not be read, or must be read again.
    """

    window: HourWindow
    manifest: Manifest | None = None
    written: int = 0
    replaced: int = 0
    unchanged: int = 0
    written_bytes: int = 0
    events: int = 0
    malformed: list[tuple[str, int]] = field(default_factory=list)
    malformed_lines: int = 0
    findings: list[tuple[str, Findings]] = field(default_factory=list)
    broken: RetryableError | None = None

    def __str__(self) -> str:
        counts = {"written": self.written, "replaced": self.replaced, "unchanged": self.unchanged}
        objects = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{self.window}: {self.events:,} events, {objects or 'no object'}."


@dataclass(frozen=True)
class HourLanding:
    """Lands one hour; several are at work at once.

    Attributes:
        store: Where to.
        form: In which form.
        window: The hour.
        asked_at: When the request was sent that brought the archive.
        before: The hour's manifest as it was found; None where it had none.
        there: Sizes of what is in the hour's folder, by name.
        is_due: Whether the time of this look is worth a new manifest by itself.
        raise_if_stopped: Called before each object.
    """

    store: Store
    form: Format
    window: HourWindow
    asked_at: datetime
    before: Manifest | None
    there: Mapping[str, int]
    is_due: bool
    raise_if_stopped: Callable[[], None]

    def land(self, archive: Archive, members: list[Member]) -> HourResult:
        """Write what is new or changed of ``members`` and then the manifest.

        Raises:
            AmplitudeError: The store fails; what was written is without a manifest then, and is written again.
        """
        result = HourResult(self.window)
        objects, event_types = [], dict[str, int]()
        for member, name in object_names(members, self.window.start, self.form.suffix):
            self.raise_if_stopped()
            known = self._known(member, name)
            if known is not None:
                result.unchanged += 1
                objects.append(known)
                continue
            try:
                rendered = self.form.render(archive, member)
            except CorruptArchiveError as error:
                result.broken = error
                return result
            objects.append(self._put(name, member, rendered, result))
            for kind, count in rendered.event_types.items():
                event_types[kind] = event_types.get(kind, 0) + count
        if result.unchanged:
            event_types = self._added_event_types(event_types, result)
        result.events = sum(each.events for each in objects)
        project = next((member.name.project for member in members if member.name), None)
        manifest = self._write_manifest(
            Manifest(
                window=self.window,
                state=HourState.DONE,
                asked_at=self.asked_at.replace(microsecond=0),
                format=self.form.name,
                project=project,
                objects=tuple(sorted(objects, key=lambda each: each.name)),
                event_types=most_frequent(event_types),
            ),
            is_new=bool(result.written or result.replaced),
        )
        for name in sorted(self._gone() - {each.name for each in manifest.objects}):
            _logger.warning("%s of %s is gone from the store, and Amplitude has it no more.", name, self.window)
        if manifest.state is HourState.FAILED:
            result.broken = StoreError(manifest.reason)
        else:
            result.manifest = manifest
        return result

    def _known(self, member: Member, name: str) -> LandedObject | None:
        """Return what the manifest says of a member if its object is there, as Amplitude has it now."""
        landed = self._remembered(member)
        if landed is None or landed.name != name or self.there.get(name) != landed.object_bytes:
            return None
        is_same = (landed.packed_bytes, landed.packed_crc32) == (member.packed_bytes, member.packed_crc32)
        return landed if is_same else None

    def _remembered(self, member: Member) -> LandedObject | None:
        objects = self.before.objects if self.before else ()
        return next((each for each in objects if each.member == member.text), None)

    def _put(self, name: str, member: Member, rendered: Rendered, result: HourResult) -> LandedObject:
        with closing(rendered.body):
            etag = self.store.put(f"{hour_folder(self.window.start)}/{name}", rendered.body, rendered.object_bytes)
        landed = self._remembered(member)
        if landed is None or name not in self.there:
            result.written += 1
        else:
            result.replaced += 1
            self._report_replaced(name, member, landed, rendered)
        result.written_bytes += rendered.object_bytes
        result.malformed_lines += rendered.content.malformed_lines
        result.malformed += [(member.text, number) for number in rendered.malformed_at]
        if rendered.findings:
            result.findings.append((member.text, rendered.findings))
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
        if (landed.packed_bytes, landed.packed_crc32) == (member.packed_bytes, member.packed_crc32):
            _logger.warning(
                "%s of %s had %s bytes in the store, %s were landed: replaced.",
                name,
                self.window,
                f"{self.there[name]:,}",
                f"{landed.object_bytes:,}",
            )
            return
        _logger.warning(
            "Amplitude has changed %s of %s since it was landed (%s events, now %s): replaced.",
            name,
            self.window,
            f"{landed.events:,}",
            f"{rendered.events:,}",
        )

    def _added_event_types(self, added: dict[str, int], result: HourResult) -> dict[str, int]:
        """Return the hour's counts where not all of its objects were counted now; none where they are not known."""
        before = self.before.event_types if self.before else {}
        if result.replaced or not before:
            return {}
        return {kind: before.get(kind, 0) + added.get(kind, 0) for kind in {**before, **added}}

    def _write_manifest(self, mine: Manifest, *, is_new: bool) -> Manifest:
        """Write the manifest unless it would say nothing new; return what is in the store."""
        before = self.before
        if before is None or before.state is not HourState.DONE or is_new or self.is_due or self._gone():
            return write_manifest(self.store, mine, before, gone=self._gone())
        return before

    def _gone(self) -> frozenset[str]:
        """Return the objects that the manifest named and that were not there."""
        return frozenset(each.name for each in (self.before.objects if self.before else ())) - self.there.keys()


def write_manifest(
    store: Store, mine: Manifest, before: Manifest | None, *, gone: frozenset[str] = frozenset()
) -> Manifest:
    """Write a manifest, together with what another run has written for the same hour; return what was written.

    Two runs may have put different bytes under one name, in any order. The one that writes its manifest last sees that;
    the hour has failed then, until it was asked for once more.

    Args:
        store: Where to.
        mine: What this run knows.
        before: The manifest when the run began.
        gone: Objects that were not there, whatever another manifest says.
    """
    path, written = manifest_path(mine.window.start), mine

    def change(present: bytes | None) -> bytes:
        nonlocal written
        theirs = manifest_from_bytes(path, present) if present else None
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
