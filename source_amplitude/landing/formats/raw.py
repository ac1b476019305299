"""Amplitude's gzip files, unmodified."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from source_amplitude.archive import iter_line_batches
from source_amplitude.landing.formats.body import EventTypes, Rendered
from source_amplitude.members import NOTHING_READ

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member

_CHUNK_BYTES = 256 * 1024


class Raw:
    """Each member unmodified; it is unpacked once to verify it and to count its lines.

    Args:
        count_event_types: Whether to count events by type too, which takes more than twice as long.
        option: ``json`` if arrays are made of the objects later.
    """

    name = "raw"
    suffix = ".json.gz"
    hours_at_once = 8

    def __init__(self, *, count_event_types: bool = False, option: str = "raw") -> None:
        self.option = option
        self._count_event_types = count_event_types

    def render(self, archive: Archive, member: Member) -> Rendered:
        """Return the member as an object; lines are not parsed, so malformed lines count as events."""
        content, events, event_types = NOTHING_READ, 0, EventTypes()
        count = event_types.add_lines if self._count_event_types else count_lines
        with archive.unpack(member) as unpacked:
            for batch in iter_line_batches(unpacked, chunk_bytes=_CHUNK_BYTES):
                content, events = batch.seen, events + count(batch.body)
        return Rendered(
            archive.packed(member),
            member.packed_bytes,
            member.packed_crc32,
            events,
            content,
            event_types=event_types.events,
        )


def count_lines(body: bytes) -> int:
    """Return the number of lines in ``body``, without blank lines.

    Iterating over the lines is four times faster than ``bytes.count`` (measured).
    """
    return sum(not line.isspace() for line in BytesIO(body))
