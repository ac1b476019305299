"""Every line of a batch on its own: whatever its form, it becomes a record or is named by its position."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from source_amplitude.encoding.encoded import Encoded, split_lines
from source_amplitude.records import (
    Findings,
    NotAnEventError,
    Oddity,
    Record,
    RepairedLine,
    exact_records_from_line,
    has_huge_integer,
    records_from_line,
)
from source_amplitude.records.findings import MOST_PLACES, NO_FINDINGS, REPAIRS

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def encode_line_by_line(body: bytes, finish: Callable[[Record], T]) -> Encoded[list[T]]:
    """Return what ``finish`` makes of each record of each line; blank lines are no lines.

    A line of several objects is all of them, or malformed where one of them is cut: the rest may be completed later.

    Args:
        body: Raw lines.
        finish: May refuse a record with a NotAnEventError; its line then counts as malformed.
    """
    finished: list[T] = []
    malformed: list[int] = []
    odd: Counter[Oddity] = Counter()
    repaired: list[RepairedLine] = []
    lines = split_lines(body)
    for position, line in enumerate(lines):
        read = exact_records_from_line if has_huge_integer(line) else records_from_line
        notes: Counter[Oddity] = Counter()
        try:
            finished += [finish(record) for record in read(line, notes)]
        except NotAnEventError:
            if line.strip():
                malformed.append(position)
            continue
        if notes:
            odd += notes
            if len(repaired) < MOST_PLACES:
                repaired += [RepairedLine(position, kind) for kind in REPAIRS if Oddity(kind) in notes]
    findings = Findings(dict(odd), tuple(repaired[:MOST_PLACES])) if odd else NO_FINDINGS
    return Encoded(finished, len(finished), len(lines), tuple(malformed), findings)
