"""What was odd about lines that were emitted all the same: counted by kind and field, never quoted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_POSITIONS = 5


class OddityKind(Enum):
    """What can be odd about an event."""

    NOT_UTF8 = "bytes that are not UTF-8"
    CONTROL_CHARACTER = "raw control characters"
    BYTE_ORDER_MARK = "a byte order mark"
    NOT_FINITE = "numbers that JSON does not have"
    SEVERAL_EVENTS = "several events"
    SURROGATE = "lone surrogate"
    UNREAD_DATETIME = "unread datetime"
    MISFIT = "value of another type than the declared one"
    IN_OTHER = "value that does not fit its column"
    LEFT_OUT = "value that does not fit its column, without a column for it"


REPAIRS = (
    OddityKind.NOT_UTF8,
    OddityKind.CONTROL_CHARACTER,
    OddityKind.BYTE_ORDER_MARK,
    OddityKind.NOT_FINITE,
    OddityKind.SEVERAL_EVENTS,
)
"""Kinds that are about a line; they are counted once a line."""


class Oddity(NamedTuple):
    """One thing that can be odd.

    Attributes:
        field: The field it is in, as the schema calls it; empty where it is about a line.
        declared: The type that the schema declares, where the kind is about types.
    """

    kind: OddityKind
    field: str = ""
    declared: str = ""
    found: str = ""


class RepairedLine(NamedTuple):
    """Where a line was repaired: its position in the batch, from 0, and one of `REPAIRS`."""

    position: int
    kind: OddityKind


@dataclass(frozen=True)
class Findings:
    """What was odd in some lines and how often, and the first few lines that were repaired."""

    counts: Mapping[Oddity, int] = field(default_factory=dict)
    repaired: tuple[RepairedLine, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.counts)

    def followed_by(self, later: Findings, *, lines_before: int = 0) -> Findings:
        """Return both together, as of one batch, where ``lines_before`` lines lie before those of ``later``."""
        if not later:
            return self
        positions = [RepairedLine(lines_before + each.position, each.kind) for each in later.repaired]
        return Findings(
            dict(Counter(self.counts) + Counter(later.counts)), (*self.repaired, *positions)[:MOST_POSITIONS]
        )

    def total(self, *kinds: OddityKind) -> int:
        return sum(count for oddity, count in self.counts.items() if oddity.kind in kinds)


NO_FINDINGS = Findings()
