"""Results and interface of encoders, the encoder for this process, and encoding line by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from source_amplitude.records import (
    Findings,
    NotAnEventError,
    Oddity,
    Record,
    RepairedLine,
    exact_records_from_line,
    may_lose_digits,
    records_from_line,
)
from source_amplitude.records.findings import MOST_POSITIONS, NO_FINDINGS, REPAIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

BATCH_BYTES = 128 * 1024
"""Batches of 64 KB take 10 % longer per event, batches of 256 KB as long as these (measured)."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class HasBody(Protocol):
    """A batch of whole lines with their line feeds; the last line feed may be missing."""

    @property
    def body(self) -> bytes: ...


B = TypeVar("B", bound=HasBody)


@dataclass(frozen=True)
class Encoded(Generic[T_co]):
    """The encoded records of a batch.

    Attributes:
        payload: The encoded records.
        records: Number of records; a line can contain several.
        lines: Number of lines in the batch, including blank and malformed lines.
        malformed: Positions in the batch of lines that are not JSON objects.
        findings: Oddities of the other lines.
    """

    payload: T_co
    records: int
    lines: int
    malformed: tuple[int, ...] = ()
    findings: Findings = NO_FINDINGS


class Encoding(Protocol[T_co]):
    """Encodes batches in order."""

    def batch_bytes(self) -> int:
        """Return the best batch size at the moment."""

    def encode_ordered(self, batches: Iterable[B]) -> Generator[tuple[B, Encoded[T_co]], None, None]:
        """Yield each batch with its encoded records. Batches may be read ahead of the results."""

    def close(self) -> None:
        """Release all resources. Idempotent."""


class SerialEncoder(Generic[T]):
    """Encodes each batch in this process when its result is requested."""

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


@lru_cache(maxsize=1)
def has_msgspec() -> bool:
    """Return whether lines can be decoded the quick way; msgspec has wheels for common platforms only.

    The first call imports it, which takes longer than many commands that encode nothing.
    """
    try:
        import msgspec  # noqa: F401, PLC0415 - on demand
    except ImportError:
        return False
    return True


def split_lines(body: bytes) -> list[bytes]:
    """Return the lines of a batch without their line feeds, including blank lines."""
    lines = body.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def encode_line_by_line(body: bytes, finish: Callable[[Record], T]) -> Encoded[list[T]]:
    """Return the results of ``finish`` for each record of each line. Blank lines are ignored.

    A line with several objects is malformed if one of them is incomplete: a later export may complete it. A line is
    also malformed if ``finish`` raises a NotAnEventError.
    """
    finished: list[T] = []
    malformed: list[int] = []
    odd: Counter[Oddity] = Counter()
    repaired: list[RepairedLine] = []
    lines = split_lines(body)
    for position, line in enumerate(lines):
        read = exact_records_from_line if may_lose_digits(line) else records_from_line
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
