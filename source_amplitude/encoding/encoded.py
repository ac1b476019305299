"""What an encoding gives back, and the plain one: batch after batch in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from source_amplitude.records import Findings

BATCH_BYTES = 64 * 1024
"""Measured (benchmarks/README.md): smaller and larger batches take longer."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class HasBody(Protocol):
    """A batch of whole lines."""

    @property
    def body(self) -> bytes:
        """The lines with their line feeds; the last one may lack it."""
        ...


B = TypeVar("B", bound=HasBody)


@dataclass(frozen=True)
class Encoded(Generic[T_co]):
    """What was made of a batch of lines.

    Attributes:
        payload: For the consumer.
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
        ...

    def in_order(self, batches: Iterable[B]) -> Generator[tuple[B, Encoded[T_co]], None, None]:
        """Yield each batch with what was made of it; some batches may be taken ahead of what is yielded."""
        ...

    def close(self) -> None:
        """Let go of whatever it holds; calling it again does nothing."""
        ...


class OneByOne(Generic[T]):
    """Encodes a batch when it is asked for."""

    def __init__(self, encode: Callable[[bytes], Encoded[T]], batch_bytes: int = BATCH_BYTES) -> None:
        self._encode = encode
        self._batch_bytes = batch_bytes

    def batch_bytes(self) -> int:
        """See `Encoding`."""
        return self._batch_bytes

    def in_order(self, batches: Iterable[B]) -> Generator[tuple[B, Encoded[T]], None, None]:
        """See `Encoding`."""
        for batch in batches:
            yield batch, self._encode(batch.body)

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def split_lines(body: bytes) -> list[bytes]:
    """Return the lines of a batch without their line feeds, blank ones included."""
    lines = body.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines
