"""One hour of a proven archive: its members to records, each line once, whatever was emitted of them before."""

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
    """Some lines of an hour with the full name of their member, or the hour's end, which has no lines."""

    reading: HourReading
    member: str = ""
    lines: LineBatch | None = None

    @property
    def body(self) -> bytes:
        return self.lines.body if self.lines else b""


class HourReading:
    """Reads the members of one hour (or day of files).

    Args:
        known: What was emitted of a member before, by its full name.
        bounds: How far each member is to be read, by its full name; the others are left alone. None: all to their ends.

    Attributes:
        seen: What has been emitted of each member, before and now; grows with every batch that is noted.
        broken: Why a member could not be read to its end; the first such error.
        is_flawed: Whether any line, now or before, is not a JSON object.
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
        self.is_flawed = False

    def batches(self, archive: Archive, members: Sequence[Member]) -> Iterator[HourBatch]:
        """Yield what is new of ``members`` and the hour's end; a member that breaks is noted, and the next one read."""
        if self._bounds is not None:
            self._note_what_is_not_there(members, self._bounds)
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

    def _note_what_is_not_there(self, members: Sequence[Member], bounds: Mapping[str, Fingerprint]) -> None:
        for name in sorted(bounds.keys() - {member.text for member in members}):
            what = f"The export for {self.window} lacks the member {name}, which it had before."
            self.broken = self.broken or CorruptArchiveError(what)

    def _start(self, archive: Archive, member: Member) -> tuple[Fingerprint, Fingerprint | None]:
        """Note and return what was emitted of a member before, and how far it is to be read; None for its end.

        What is not there any more has been rewritten since.
        """
        known = self._known(member.text) or NOTHING_READ
        bound = None if self._bounds is None else self._bounds[member.text]
        lines_read = _lines_within(archive, member, known)
        if bound is not None and _lines_within(archive, member, bound) is None:
            _require_length(archive, member, bound)
            lines_read = bound = None
        if lines_read is None:
            _logger.warning(
                "Amplitude has rewritten the member %s of %s since it was read; it is emitted again as a whole, "
                "so some of its events come twice (same uuid).",
                member.text,
                self.window,
            )
            known, lines_read = NOTHING_READ, 0
        self.seen[member.text] = known
        if lines_read:
            self._lines_read[member.text] = lines_read
        self.is_flawed = self.is_flawed or known.malformed_lines > 0
        return known, bound

    def _lines(
        self, archive: Archive, member: Member, known: Fingerprint, bound: Fingerprint | None
    ) -> Iterator[LineBatch]:
        """Yield the lines of a member from ``known`` to ``bound``, which are there: `_start` has seen them."""
        with archive.unpack(member) as content:
            skip_verified_prefix(content, known)
            rest = content if bound is None else _UpTo(content, bound.content_bytes - known.content_bytes)
            yield from iter_line_batches(rest, after=known, chunk_bytes=self._batch_bytes())

    def note(self, batch: HourBatch, encoded: Encoded[object]) -> None:
        """Count a batch that was emitted: the consumer has come back for the next one."""
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
        self.is_flawed = self.is_flawed or bool(encoded.malformed)
        # Half a line at the end may be completed later: what counts as read must end before it.
        if lines.ends_with_line_feed or not encoded.malformed:
            malformed_lines = before.malformed_lines + len(encoded.malformed)
            self.seen[batch.member] = (
                replace(lines.seen, malformed_lines=malformed_lines) if malformed_lines else lines.seen
            )


class _UpTo:
    """The next ``left_bytes`` bytes of a content; what follows them belongs to a later read."""

    def __init__(self, content: Content, left_bytes: int) -> None:
        self._content = content
        self._left_bytes = left_bytes

    def read(self, size: int) -> bytes:
        chunk = self._content.read(min(size, self._left_bytes)) if self._left_bytes > 0 else b""
        self._left_bytes -= len(chunk)
        return chunk


def _require_length(archive: Archive, member: Member, bound: Fingerprint) -> None:
    """Raise a CorruptArchiveError if a member is shorter than it was: an older one, of which more will come back."""
    left_bytes = bound.content_bytes
    with archive.unpack(member) as content:
        while left_bytes > 0 and (chunk := content.read(min(CHUNK_BYTES, left_bytes))):
            left_bytes -= len(chunk)
    if left_bytes:
        raise CorruptArchiveError(
            f"The member {member.text} has {bound.content_bytes - left_bytes:,} bytes, and had "
            f"{bound.content_bytes:,} before."
        )


def _lines_within(archive: Archive, member: Member, prefix: Fingerprint) -> int | None:
    """Return how many lines a member's first bytes hold; None where they are not there any more."""
    if prefix == NOTHING_READ:
        return 0
    with archive.unpack(member) as content:
        return skip_verified_prefix(content, prefix)
