"""What an encoding gives back, the plain one in this process, and every line of a batch on its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

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
from source_amplitude.records.findings import MOST_POSITIONS, NO_FINDINGS, REPAIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

BATCH_BYTES = 64 * 1024
"""Measured (benchmarks/README.md): smaller and larger batches take longer."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class HasBody(Protocol):
    """A batch of whole lines, with their line feeds; the last one may lack it."""

    @property
    def body(self) -> bytes: ...


B = TypeVar("B", bound=HasBody)


@dataclass(frozen=True)
class Encoded(Generic[T_co]):
    """What was made of a batch of lines.

    Attributes:
        records: How many records it holds: more than it had lines, where a line is several objects.
        lines: How many lines the batch had, blank and malformed ones included.
        malformed: Positions in the batch of lines that are no JSON objects.
        findings: What was odd about the others.
    """

    payload: T_co
    records: int
    lines: int
    malformed: tuple[int, ...] = ()
    findings: Findings = NO_FINDINGS


class Encoding(Protocol[T_co]):
    """Encodes batches in the order they come."""

    def batch_bytes(self) -> int:
        """Return how large a batch is best now."""

    def encode_ordered(self, batches: Iterable[B]) -> Generator[tuple[B, Encoded[T_co]], None, None]:
        """Yield each batch with what was made of it; some batches may be taken ahead of what is yielded."""

    def close(self) -> None:
        """Release all that it holds; calling it again does nothing."""


class SerialEncoder(Generic[T]):
    """Encodes a batch when it is asked for."""

    def __init__(self, encode: Callable[[bytes], Encoded[T]], batch_bytes: int = BATCH_BYTES) -> None:
        self._encode = encode
        self._batch_bytes = batch_bytes

    def batch_bytes(self) -> int:
        return self._batch_bytes

    def encode_ordered(self, batches: Iterable[B]) -> Generator[tuple[B, Encoded[T]], None, None]:
        for batch in batches:
            yield batch, self._encode(batch.body)

    def close(self) -> None:
        pass


def split_lines(body: bytes) -> list[bytes]:
    """Return the lines of a batch without their line feeds, blank ones included."""
    lines = body.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def encode_line_by_line(body: bytes, finish: Callable[[Record], T]) -> Encoded[list[T]]:
    """Return what ``finish`` makes of each record of each line; blank lines are no lines.

    A line of several objects is all of them, or malformed where one of them is cut: the rest may be completed later.
    A record that ``finish`` refuses with a NotAnEventError makes its line malformed as well.
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
            if len(repaired) < MOST_POSITIONS:
                repaired += [RepairedLine(position, kind) for kind in REPAIRS if Oddity(kind) in notes]
    findings = Findings(dict(odd), tuple(repaired[:MOST_POSITIONS])) if odd else NO_FINDINGS
    return Encoded(finished, len(finished), len(lines), tuple(malformed), findings)
