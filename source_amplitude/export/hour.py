"""One hour of a proven archive: its members to records, each line once, whatever was emitted of them before."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from source_amplitude.archive import Archive, LineBatch, Member, iter_line_batches, proven, skip_proven_prefix
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.export.tally import MalformedLine, Tally
from source_amplitude.members import NOTHING_READ, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from source_amplitude.encoding import Encoded, Encoding
    from source_amplitude.windows import HourWindow

T = TypeVar("T")

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class EncodedRecords(Generic[T]):
    """Some records, to be written out before the next step is asked for."""

    payload: T
    records: int


@dataclass(frozen=True)
class _MemberBatch:
    """Some lines and the full name of the member they are from."""

    member: str
    lines: LineBatch

    @property
    def body(self) -> bytes:
        return self.lines.body


class HourReading(Generic[T]):
    """Reads the members of one hour.

    Args:
        window: The hour (or day of files), for messages.
        known: What was emitted of a member before, by its full name.
        encoding: Makes the payloads out of lines.
        tally: Counts what is emitted.

    Attributes:
        seen: What has been emitted of each member, before and now; grows while `read` is consumed.
        broken: Why a member could not be read to its end; the first such error.
        is_flawed: Whether any line, now or before, is no JSON object.
    """

    def __init__(
        self,
        window: HourWindow,
        *,
        known: Callable[[str], Fingerprint | None],
        encoding: Encoding[T],
        tally: Tally,
    ) -> None:
        self._window = window
        self._known = known
        self._encoding = encoding
        self._tally = tally
        self._lines_read: dict[str, int] = {}
        self.seen: dict[str, Fingerprint] = {}
        self.broken: CorruptArchiveError | None = None
        self.is_flawed = False

    def read(self, archive: Archive, members: list[Member]) -> Iterator[EncodedRecords[T]]:
        """Yield what is new of ``members``; a member that breaks is noted in ``broken`` and the next one is read.

        A batch counts as emitted when the consumer comes back for the next one.
        """
        for batch, encoded in self._encoding.in_order(self._batches(archive, members)):
            if encoded.records:
                yield EncodedRecords(encoded.payload, encoded.records)
            self._note(batch, encoded)

    def _batches(self, archive: Archive, members: list[Member]) -> Iterator[_MemberBatch]:
        for member in members:
            try:
                known = self._start(archive, member)
                for lines in proven(partial(self._lines, archive, member, known)):
                    yield _MemberBatch(member.text, lines)
            except CorruptArchiveError as error:
                self.broken = self.broken or error

    def _start(self, archive: Archive, member: Member) -> Fingerprint:
        """Note and return what was emitted of a member before; nothing where it has been rewritten since."""
        known, lines_read = self._known(member.text) or NOTHING_READ, self._lines_in_known(archive, member)
        if lines_read is None:
            _logger.warning(
                "Amplitude has rewritten the member %s of %s since it was read; it is emitted again as a whole, "
                "so some of its events come twice (same uuid).",
                member.text,
                self._window,
            )
            known, lines_read = NOTHING_READ, 0
        self.seen[member.text] = known
        self._lines_read[member.text] = lines_read
        self.is_flawed = self.is_flawed or known.malformed_lines > 0
        return known

    def _lines_in_known(self, archive: Archive, member: Member) -> int | None:
        """Return how many lines of a member were emitted before; None where they are not there any more."""
        known = self._known(member.text)
        if known is None:
            return 0
        with archive.unpack(member) as content:
            return skip_proven_prefix(content, known)

    def _lines(self, archive: Archive, member: Member, known: Fingerprint) -> Iterator[LineBatch]:
        """Yield the lines of a member after ``known``, which are there: `_start` has seen it."""
        with archive.unpack(member) as content:
            skip_proven_prefix(content, known)
            yield from iter_line_batches(content, after=known, chunk_bytes=self._encoding.batch_bytes())

    def _note(self, batch: _MemberBatch, encoded: Encoded[T]) -> None:
        """Count a batch that was emitted."""
        lines, before = batch.lines, self.seen[batch.member]
        first_number = self._lines_read[batch.member] + 1
        self._lines_read[batch.member] += encoded.lines
        self._tally.records += encoded.records
        self._tally.unread_datetimes += encoded.unread_datetimes
        self._tally.content_bytes += lines.seen.content_bytes - before.content_bytes
        for position in encoded.malformed:
            self._tally.add_malformed(MalformedLine(self._window, batch.member, first_number + position))
        self.is_flawed = self.is_flawed or bool(encoded.malformed)
        # Half a line at the end may be completed later: what counts as read must end before it.
        if lines.ends_with_line_feed or not encoded.malformed:
            malformed_lines = before.malformed_lines + len(encoded.malformed)
            self.seen[batch.member] = (
                replace(lines.seen, malformed_lines=malformed_lines) if malformed_lines else lines.seen
            )
