"""Read one line as one record in several ways, with its oddities."""

from __future__ import annotations

from collections import Counter

from source_amplitude.encoding import JsonLines
from source_amplitude.records import (
    NotAnEventError,
    Oddity,
    Record,
    exact_records_from_line,
    may_lose_digits,
    records_from_line,
)


def record_from_line(line: bytes) -> Record:
    (read,) = records_from_line(line)
    return read


def exact_record_from_line(line: bytes) -> Record:
    (read,) = exact_records_from_line(line)
    return read


def record(line: bytes) -> Record:
    """Read a line as the Python API does."""
    return exact_record_from_line(line) if may_lose_digits(line) else record_from_line(line)


def noted(line: bytes) -> dict[Oddity, int]:
    """Return the oddities of a line."""
    notes: Counter[Oddity] = Counter()
    records_from_line(line, notes)
    return dict(notes)


def dumped(line: bytes) -> bytes:
    """Encode a line's record as the command line does, without Airbyte's envelope."""
    encoded = JsonLines(b"").encode(line, b"")
    if not encoded.records:
        raise NotAnEventError("the line is not valid JSON")
    return encoded.payload


def without_lone_surrogates(text: str) -> str:
    """Return a text with U+FFFD for each lone surrogate."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
