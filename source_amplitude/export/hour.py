"""One hour of a proven archive: its members to records, each line once, whatever was emitted of them before."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from source_amplitude.archive import Archive, Content, Member, iter_line_batches, skip_proven_prefix
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.export.tally import MalformedLine, Tally
from source_amplitude.members import NOTHING_READ, Fingerprint

if TYPE_CHECKING:
    from source_amplitude.windows import HourWindow

T = TypeVar("T")

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Encoded(Generic[T]):
    """What an encoder made of a batch of lines.

    Attributes:
        payload: For the consumer.
        records: How many records it holds.
        malformed: Positions in the batch of lines that are no JSON objects.
        unread_datetimes: How many datetimes had no form that is known, and are passed on as they came.
    """

    payload: T
    records: int
    malformed: tuple[int, ...] = ()
    unread_datetimes: int = 0


Encoder = Callable[[list[bytes]], Encoded[T]]


@dataclass(frozen=True)
class EncodedRecords(Generic[T]):
    """Some records, to be written out before the next step is asked for."""

    payload: T
    records: int


class HourReading(Generic[T]):
    """Reads the members of one hour.

    Args:
        window: The hour (or day of files), for messages.
        known: What was emitted of a member before, by its full name.
        encode: Makes the payloads out of lines.
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
        encode: Encoder[T],
        tally: Tally,
    ) -> None:
        self._window = window
        self._known = known
        self._encode = encode
        self._tally = tally
        self.seen: dict[str, Fingerprint] = {}
        self.broken: CorruptArchiveError | None = None
        self.is_flawed = False

    def read(self, archive: Archive, members: list[Member]) -> Iterator[EncodedRecords[T]]:
        """Yield what is new of ``members``; a member that breaks is noted in ``broken`` and the next one is read."""
        for member in members:
            try:
                yield from self._read_member(archive, member)
            except CorruptArchiveError as error:
                self.broken = self.broken or error

    def _read_member(self, archive: Archive, member: Member) -> Iterator[EncodedRecords[T]]:
        known = self._known(member.text)
        if known is not None:
            with archive.unpack(member) as content:
                line_feeds = skip_proven_prefix(content, known)
                if line_feeds is not None:
                    self.seen[member.text] = known
                    yield from self._read_content(content, member, after=known, first_number=line_feeds + 1)
                    return
            _logger.warning(
                "Amplitude has rewritten the member %s of %s since it was read; it is emitted again as a whole, "
                "so some of its events come twice (same uuid).",
                member.text,
                self._window,
            )
        self.seen[member.text] = NOTHING_READ
        with archive.unpack(member) as content:
            yield from self._read_content(content, member, after=NOTHING_READ, first_number=1)

    def _read_content(
        self, content: Content, member: Member, *, after: Fingerprint, first_number: int
    ) -> Iterator[EncodedRecords[T]]:
        malformed_lines = after.malformed_lines
        self.is_flawed = self.is_flawed or malformed_lines > 0
        for batch in iter_line_batches(content, after=after, first_number=first_number):
            encoded = self._encode(batch.lines)
            for position in encoded.malformed:
                self._tally.add_malformed(MalformedLine(self._window, member.text, batch.first_number + position))
            self.is_flawed = self.is_flawed or bool(encoded.malformed)
            if encoded.records:
                yield EncodedRecords(encoded.payload, encoded.records)
            before = self.seen[member.text]
            self._tally.records += encoded.records
            self._tally.unread_datetimes += encoded.unread_datetimes
            self._tally.content_bytes += batch.seen.content_bytes - before.content_bytes
            # Half a line at the end may be completed later: what counts as read must end before it.
            if batch.ends_with_line_feed or not encoded.malformed:
                malformed_lines += len(encoded.malformed)
                self.seen[member.text] = replace(batch.seen, malformed_lines=malformed_lines)
