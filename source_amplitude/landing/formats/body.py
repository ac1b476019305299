"""Build objects: the bytes of an object, and the counts made while they are written.

Small objects stay in memory, larger ones in an unnamed temporary file. Event types are counted by decoding every line.
For 100,000 events of 2 KB on one core of the development machine this takes 410 ms more than counting lines. Searching
for ``"event_type":`` takes 130 ms, but finds a nested key if the event has none; checking the nesting takes 370 ms.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import IO, TYPE_CHECKING

import orjson

from source_amplitude.archive.gzip_codec import crc32
from source_amplitude.disk import TemporaryBody
from source_amplitude.members import NOTHING_READ
from source_amplitude.records import NotAnEventError, exact_records_from_line
from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from source_amplitude.archive import LineBatch
    from source_amplitude.encoding import Encoded
    from source_amplitude.members import Fingerprint
    from source_amplitude.records import Findings

MEMORY_BYTES = 8 * 1024 * 1024
MOST_TYPES = 100

_MOST_NAMED = 5


@dataclass(frozen=True)
class Rendered:
    """An object made from a member, and its counts.

    Attributes:
        body: The object's bytes, at their start; the caller closes it.
        crc32: CRC-32 of the object.
        content: Length, CRC-32 and malformed lines of the member's unpacked content.
        malformed_at: Line numbers, from 1, of the first malformed lines.
        event_types: Events by type; empty if they were not counted.
        findings: Odd values in the event lines; empty for raw objects, which keep the lines unchanged.
    """

    body: IO[bytes]
    object_bytes: int
    crc32: int
    events: int
    content: Fingerprint
    malformed_at: tuple[int, ...] = ()
    event_types: Mapping[str, int] = field(default_factory=dict)
    findings: Findings = NO_FINDINGS


class OddLines:
    """Counts the malformed and odd lines of one member; add its batches in order.

    Attributes:
        malformed_at: Line numbers, from 1, of the first malformed lines.
        findings: Odd values in the other lines.
    """

    def __init__(self) -> None:
        self.malformed = 0
        self.malformed_at: tuple[int, ...] = ()
        self.findings = NO_FINDINGS
        self._lines = 0

    def add(self, encoded: Encoded[object]) -> None:
        room = _MOST_NAMED - len(self.malformed_at)
        self.malformed_at += tuple(self._lines + position + 1 for position in encoded.malformed[:room])
        self.malformed += len(encoded.malformed)
        self.findings = self.findings.followed_by(encoded.findings, lines_before=self._lines)
        self._lines += encoded.lines


class EventTypes:
    """Counts the events of one member by ``event_type``; types that are not strings are left out."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()

    def add(self, event_types: Iterable[object]) -> None:
        self.events.update([each for each in event_types if isinstance(each, str)])

    def add_lines(self, body: bytes) -> int:
        """Count the events in ``body`` and return the number of lines, without blank lines."""
        lines = 0
        event_types: list[object] = []
        for line in BytesIO(body):
            try:
                event_types.append(orjson.loads(line).get("event_type"))
            except (ValueError, AttributeError):  # not valid JSON for orjson; not an object
                if line.isspace():
                    continue
                event_types += _types_decoded_exactly(line)
            lines += 1
        self.add(event_types)
        return lines


def _types_decoded_exactly(line: bytes) -> list[object]:
    """Return the event types of a line that orjson cannot decode; empty if the line is not an event."""
    try:
        return [event.get("event_type") for event in exact_records_from_line(line)]
    except NotAnEventError:
        return []


def most_frequent(events: Mapping[str, int]) -> dict[str, int]:
    """Return the `MOST_TYPES` most frequent types with their counts, most frequent first, then by name."""
    return dict(sorted(events.items(), key=lambda item: (-item[1], item[0]))[:MOST_TYPES])


class ObjectFile(TemporaryBody):
    """A writable file for an object made from a member's records; counts the records batch by batch.

    Args:
        memory_bytes: Size above which the object is on disk; `MEMORY_BYTES` if None.

    Attributes:
        event_types: Events by type; the format adds them.
        closed: Always False; pyarrow reads it.
    """

    def __init__(self, memory_bytes: int | None = None) -> None:
        super().__init__("object", memory_bytes=MEMORY_BYTES if memory_bytes is None else memory_bytes)
        self.crc32 = 0
        self.event_types = EventTypes()
        self.closed = False
        self._odd_lines = OddLines()
        self._content = NOTHING_READ
        self._events = 0

    def write(self, data: bytes, /) -> int:
        self.crc32 = crc32(data, self.crc32)
        return super().write(data)

    def tell(self) -> int:
        return self.written_bytes

    def note(self, batch: LineBatch, encoded: Encoded[object]) -> None:
        self._odd_lines.add(encoded)
        self._content, self._events = batch.seen, self._events + encoded.records

    def rendered(self) -> Rendered:
        """Return the object; the caller must close it."""
        return Rendered(
            self.detach(),
            self.written_bytes,
            self.crc32,
            self._events,
            replace(self._content, malformed_lines=self._odd_lines.malformed),
            self._odd_lines.malformed_at,
            self.event_types.events,
            self._odd_lines.findings,
        )
