"""Read one hour of a verified archive: emit each new line of its members once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from source_amplitude.archive import (
    Archive,
    Content,
    LineBatch,
    Member,
    iter_line_batches,
    skip_verified_prefix,
    verified,
)
from source_amplitude.archive.lines import CHUNK_BYTES
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.export.stats import LinePosition, SyncStats
from source_amplitude.members import NOTHING_READ, Fingerprint, MemberFingerprints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from source_amplitude.encoding import Encoded
    from source_amplitude.windows import HourWindow

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class HourBatch:
    """Some lines of a member, with its full name; or the end of the hour, without lines."""

    reading: HourReading
    member: str = ""
    lines: LineBatch | None = None

    @property
    def body(self) -> bytes:
        return self.lines.body if self.lines else b""


class HourReading:
    """Reads the members of one hour (or day of files).

    Args:
        known: Returns the fingerprint of what earlier syncs emitted of a member, by its full name.
        bounds: Where to stop reading each member, by its full name; other members are skipped. None: read all members
            to their ends.

    Attributes:
        seen: Fingerprint of all that was emitted of each member; `note` updates it.
        broken: The first error that stopped a member before its end.
        has_malformed_lines: Whether any line that was read, now or earlier, is not a JSON object.
    """

    def __init__(
        self,
        window: HourWindow,
        *,
        known: Callable[[str], Fingerprint | None],
        stats: SyncStats,
        batch_bytes: Callable[[], int],
        bounds: Mapping[str, Fingerprint] | None = None,
    ) -> None:
        self.window = window
        self._bounds = bounds
        self._known = known
        self._stats = stats
        self._batch_bytes = batch_bytes
        self._lines_read: dict[str, int] = {}  # of members whose batches are still to be noted
        self.seen = MemberFingerprints()
        self._noted = ""
        self.broken: CorruptArchiveError | None = None
        self.has_malformed_lines = False

    def batches(self, archive: Archive, members: Sequence[Member]) -> Iterator[HourBatch]:
        """Yield the new lines of ``members``, then the end of the hour. After an error, go on with the next member."""
        if self._bounds is not None:
            self._note_missing_members(members, self._bounds)
        for member in members:
            if self._bounds is not None and member.text not in self._bounds:
                continue
            try:
                known, bound = self._start(archive, member)
                for lines in verified(partial(self._lines, archive, member, known, bound)):
                    yield HourBatch(self, member.text, lines)
            except CorruptArchiveError as error:
                self.broken = self.broken or error
        yield HourBatch(self)

    def _note_missing_members(self, members: Sequence[Member], bounds: Mapping[str, Fingerprint]) -> None:
        for name in sorted(bounds.keys() - {member.text for member in members}):
            what = f"The export for {self.window} no longer contains the member {name}."
            self.broken = self.broken or CorruptArchiveError(what)

    def _start(self, archive: Archive, member: Member) -> tuple[Fingerprint, Fingerprint | None]:
        """Return the fingerprint of a member's emitted lines, and where to stop reading it; None: at its end.

        If the emitted lines are no longer in the member, Amplitude has rewritten it.
        """
        known = self._known(member.text) or NOTHING_READ
        bound = None if self._bounds is None else self._bounds[member.text]
        lines_read = _lines_within(archive, member, known)
        if bound is not None and _lines_within(archive, member, bound) is None:
            _require_length(archive, member, bound)
            lines_read = bound = None
        if lines_read is None:
            _logger.warning(
                "Amplitude has rewritten the member %s of %s since it was read. The whole member is emitted again, so "
                "some events are duplicates (same uuid).",
                member.text,
                self.window,
            )
            known, lines_read = NOTHING_READ, 0
        self.seen[member.text] = known
        if lines_read:
            self._lines_read[member.text] = lines_read
        self.has_malformed_lines = self.has_malformed_lines or known.malformed_lines > 0
        return known, bound

    def _lines(
        self, archive: Archive, member: Member, known: Fingerprint, bound: Fingerprint | None
    ) -> Iterator[LineBatch]:
        """Yield the lines of a member from ``known`` to ``bound``. `_start` has checked that it contains them."""
        with archive.unpack(member) as content:
            skip_verified_prefix(content, known)
            rest = content if bound is None else _LimitedContent(content, bound.content_bytes - known.content_bytes)
            yield from iter_line_batches(rest, after=known, chunk_bytes=self._batch_bytes())

    def note(self, batch: HourBatch, encoded: Encoded[object]) -> None:
        """Record a batch that was emitted; call it when the consumer requests the next one."""
        if batch.lines is None:
            return
        lines, before = batch.lines, self.seen[batch.member]
        if batch.member != self._noted:
            self._lines_read.pop(self._noted, None)  # batches are noted in order: that member is finished
            self._noted = batch.member
        lines_before = self._lines_read.get(batch.member, 0)
        self._lines_read[batch.member] = lines_before + encoded.lines
        self._stats.records += encoded.records
        if encoded.findings:
            self._stats.add_findings(encoded.findings, self.window, batch.member, lines_before)
        self._stats.content_bytes += lines.seen.content_bytes - before.content_bytes
        for position in encoded.malformed:
            self._stats.add_malformed(LinePosition(self.window, batch.member, lines_before + position + 1))
        self.has_malformed_lines = self.has_malformed_lines or bool(encoded.malformed)
        # A later export may complete an incomplete last line, so the fingerprint must end before it.
        if lines.ends_with_line_feed or not encoded.malformed:
            malformed_lines = before.malformed_lines + len(encoded.malformed)
            self.seen[batch.member] = (
                replace(lines.seen, malformed_lines=malformed_lines) if malformed_lines else lines.seen
            )


class _LimitedContent:
    """The next ``left_bytes`` bytes of a content; a later read takes the rest."""

    def __init__(self, content: Content, left_bytes: int) -> None:
        self._content = content
        self._left_bytes = left_bytes

    def read(self, size: int) -> bytes:
        chunk = self._content.read(min(size, self._left_bytes)) if self._left_bytes > 0 else b""
        self._left_bytes -= len(chunk)
        return chunk


def _require_length(archive: Archive, member: Member, bound: Fingerprint) -> None:
    """Raise a CorruptArchiveError if a member is shorter than before: Amplitude served an outdated copy."""
    left_bytes = bound.content_bytes
    with archive.unpack(member) as content:
        while left_bytes > 0 and (chunk := content.read(min(CHUNK_BYTES, left_bytes))):
            left_bytes -= len(chunk)
    if left_bytes:
        raise CorruptArchiveError(
            f"The member {member.text} has {bound.content_bytes - left_bytes:,} bytes; it had "
            f"{bound.content_bytes:,} before."
        )


def _lines_within(archive: Archive, member: Member, prefix: Fingerprint) -> int | None:
    """Return the number of lines in ``prefix``, or None if the member no longer begins with it."""
    if prefix == NOTHING_READ:
        return 0
    with archive.unpack(member) as content:
        return skip_verified_prefix(content, prefix)
