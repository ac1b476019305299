"""Every line of a batch on its own: whatever its form, it becomes a record or is named by its position."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from source_amplitude.encoding.encoded import Encoded, split_lines
from source_amplitude.records import (
    NotAnEventError,
    Record,
    exact_record_from_line,
    has_huge_integer,
    record_from_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def encode_line_by_line(body: bytes, finish: Callable[[Record], T]) -> Encoded[list[T]]:
    """Return what ``finish`` makes of the record of each line; blank lines are no lines.

    Args:
        body: Raw lines.
        finish: May refuse a record with a NotAnEventError; its line then counts as malformed.
    """
    finished: list[T] = []
    malformed: list[int] = []
    unread: list[str] = []
    lines = split_lines(body)
    for position, line in enumerate(lines):
        read = exact_record_from_line if has_huge_integer(line) else record_from_line
        try:
            finished.append(finish(read(line, unread)))
        except NotAnEventError:
            if line.strip():
                malformed.append(position)
    return Encoded(finished, len(finished), len(lines), tuple(malformed), len(unread))
