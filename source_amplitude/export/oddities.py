"""Warnings about odd lines and values, one for each kind, and the counts of a sync's summary."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.records import OddityKind
from source_amplitude.records.findings import MOST_POSITIONS, NO_FINDINGS, REPAIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from source_amplitude.records import Findings

_logger = logging.getLogger("airbyte")

_REPAIRED = {
    OddityKind.NOT_UTF8: "with bytes that are not UTF-8 (now U+FFFD)",
    OddityKind.CONTROL_CHARACTER: "with raw control characters (now escaped)",
    OddityKind.BYTE_ORDER_MARK: "with a byte order mark (removed)",
    OddityKind.NOT_FINITE: "with NaN or infinite numbers (now null)",
    OddityKind.SEVERAL_EVENTS: "with several events (each emitted)",
}
_PARTS = (
    (REPAIRS, "line", " repaired"),
    ((OddityKind.SURROGATE,), "lone surrogate", " replaced"),
    ((OddityKind.UNREAD_DATETIME,), "unreadable datetime", " unchanged"),
    ((OddityKind.MISFIT,), "value", " of an undeclared type unchanged"),
    ((OddityKind.IN_OTHER,), "value", " in the column _other"),
    ((OddityKind.LEFT_OUT,), "value", " left out"),
)


class Oddities:
    """The findings of a whole sync, and the positions of the first repaired lines with their problem."""

    def __init__(self) -> None:
        self.findings = NO_FINDINGS
        self.positions: list[str] = []

    def add(self, findings: Findings, position_of: Callable[[int], object]) -> None:
        """Add findings. ``position_of`` returns the full position of a line by its position in ``findings``."""
        self.findings = self.findings.followed_by(findings)
        for position, kind in findings.repaired[: MOST_POSITIONS - len(self.positions)]:
            self.positions.append(f"{position_of(position)} ({kind.value})")

    def log_warnings(self, what: str) -> None:
        """Log one warning for each kind of finding in ``what``."""
        for text in _warnings(self.findings, self.positions):
            _logger.warning("%s: %s", what, text)

    def summary_parts(self) -> list[str]:
        """Return the count of each kind of finding, as parts of a summary line."""
        totals = ((self.findings.total(*kinds), noun, rest) for kinds, noun, rest in _PARTS)
        return [f"{counted(total, noun)}{rest}" for total, noun, rest in totals if total]


def _warnings(findings: Findings, positions: Sequence[str]) -> Iterator[str]:
    """Yield one warning for each kind of finding, without quoting events."""
    repaired = [f"{findings.total(kind):,} {words}" for kind, words in _REPAIRED.items() if findings.total(kind)]
    if repaired:
        first = f"; first: {'; '.join(positions)}" if positions else ""
        yield f"Lines were repaired and emitted: {', '.join(repaired)}{first}."
    if fields := _by_field(findings, OddityKind.SURROGATE):
        yield f"Lone surrogates (not valid in UTF-8) were replaced with U+FFFD: {fields}."
    if fields := _by_field(findings, OddityKind.UNREAD_DATETIME):
        yield f"Datetimes of an unknown format, or not in the calendar, were emitted unchanged: {fields}."
    if fields := _misfits(findings):
        yield (
            f"Values that do not have the declared type of their field were emitted unchanged: {fields}. "
            "docs/connector.md describes how typed destinations handle them."
        )
    if fields := _by_field(findings, OddityKind.IN_OTHER):
        yield f"Values that do not fit the type of their column are in the column _other: {fields}."
    if fields := _by_field(findings, OddityKind.LEFT_OUT):
        yield f"Values that do not fit the type of their column are left out (column _other is not selected): {fields}."


def _by_field(findings: Findings, kind: OddityKind) -> str:
    counts = Counter[str]()
    for oddity, count in findings.counts.items():
        if oddity.kind is kind:
            counts[oddity.field] += count
    return ", ".join(f"{name} ({count:,})" for name, count in sorted(counts.items()))


def _misfits(findings: Findings) -> str:
    fields: dict[tuple[str, str], dict[str, int]] = {}
    for oddity, count in sorted(findings.counts.items(), key=lambda item: item[0][1:]):
        if oddity.kind is OddityKind.MISFIT:
            fields.setdefault((oddity.field, oddity.declared), {})[oddity.found] = count
    return "; ".join(
        f"{name} is declared as {declared}, but was {', '.join(f'{found} ({n:,})' for found, n in counts.items())}"
        for (name, declared), counts in fields.items()
    )
