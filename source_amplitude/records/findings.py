"""Oddities of emitted lines, counted by kind and field, without their values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_POSITIONS = 5


class OddityKind(Enum):
    """The kinds of oddities in an event."""

    NOT_UTF8 = "bytes that are not UTF-8"
    CONTROL_CHARACTER = "raw control characters"
    BYTE_ORDER_MARK = "a byte order mark"
    NOT_FINITE = "NaN or infinite numbers"
    SEVERAL_EVENTS = "several events"
    SURROGATE = "lone surrogate"
    UNREAD_DATETIME = "unreadable datetime"
    MISFIT = "value of an undeclared type"
    IN_OTHER = "value that does not fit its column, in the column _other"
    LEFT_OUT = "value that does not fit its column, left out"


REPAIRS = (
    OddityKind.NOT_UTF8,
    OddityKind.CONTROL_CHARACTER,
    OddityKind.BYTE_ORDER_MARK,
    OddityKind.NOT_FINITE,
    OddityKind.SEVERAL_EVENTS,
)
"""Kinds that concern a whole line. Each is counted once per line."""


class Oddity(NamedTuple):
    """An oddity of a line or a field.

    Attributes:
        kind: The kind of oddity.
        field: The field's name in the schema; empty if the oddity concerns a whole line.
        declared: The declared type of a misfit.
        found: The actual type of a misfit.
    """

    kind: OddityKind
    field: str = ""
    declared: str = ""
    found: str = ""


class RepairedLine(NamedTuple):
    """A repaired line: its position in the batch, from 0, and one of `REPAIRS`."""

    position: int
    kind: OddityKind


@dataclass(frozen=True)
class Findings:
    """Counts of the oddities of some lines, and the first few repaired lines."""

    counts: Mapping[Oddity, int] = field(default_factory=dict)
    repaired: tuple[RepairedLine, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.counts)

    def followed_by(self, later: Findings, *, lines_before: int = 0) -> Findings:
        """Return both as findings of one batch; ``lines_before`` lines precede those of ``later``."""
        if not later:
            return self
        positions = [RepairedLine(lines_before + each.position, each.kind) for each in later.repaired]
        return Findings(
            dict(Counter(self.counts) + Counter(later.counts)), (*self.repaired, *positions)[:MOST_POSITIONS]
        )

    def total(self, *kinds: OddityKind) -> int:
        return sum(count for oddity, count in self.counts.items() if oddity.kind in kinds)


NO_FINDINGS = Findings()
