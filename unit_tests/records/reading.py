"""One line to its one record, in each way there is, and what is odd about it."""

from __future__ import annotations

from collections import Counter

from source_amplitude.encoding import JsonLines
from source_amplitude.records import (
    NotAnEventError,
    Oddity,
    Record,
    exact_records_from_line,
    has_huge_integer,
    records_from_line,
)


def record_from_line(line: bytes) -> Record:
    (read,) = records_from_line(line)
    return read


def exact_record_from_line(line: bytes) -> Record:
    (read,) = exact_records_from_line(line)
    return read


def record(line: bytes) -> Record:
    """Read a line as a host of our source does."""
    return exact_record_from_line(line) if has_huge_integer(line) else record_from_line(line)


def noted(line: bytes) -> dict[Oddity, int]:
    """Return what is odd about a line."""
    notes: Counter[Oddity] = Counter()
    records_from_line(line, notes)
    return dict(notes)


def dumped(line: bytes) -> bytes:
    """Write a line's record as our launcher does, without the envelope around it."""
    encoded = JsonLines(b"").encode(line, b"")
    if not encoded.records:
        raise NotAnEventError("the line is no JSON")
    return encoded.payload
