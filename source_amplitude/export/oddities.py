"""What was odd in a sync as warnings, one for each kind, and as parts of its summary."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from source_amplitude.records import OddityKind
from source_amplitude.records.findings import MOST_POSITIONS, NO_FINDINGS, REPAIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from source_amplitude.records import Findings

_logger = logging.getLogger("airbyte")

_REPAIRED = {
    OddityKind.NOT_UTF8: "with bytes that are not UTF-8 (now U+FFFD)",
    OddityKind.CONTROL_CHARACTER: "with raw control characters in a text (now escaped)",
    OddityKind.BYTE_ORDER_MARK: "with a byte order mark (left out)",
    OddityKind.NOT_FINITE: "with NaN or infinite numbers (now null)",
    OddityKind.SEVERAL_EVENTS: "with several events (each emitted)",
}
_PARTS = (
    (REPAIRS, "lines repaired"),
    ((OddityKind.SURROGATE,), "lone surrogates replaced"),
    ((OddityKind.UNREAD_DATETIME,), "datetimes that could not be read passed on as they came"),
    ((OddityKind.MISFIT,), "values of another type than the declared one passed on as they came"),
    ((OddityKind.IN_OTHER,), "values in the column _other"),
    ((OddityKind.LEFT_OUT,), "values left out"),
)


class Oddities:
    """What was odd in a whole sync, and the places of the first lines that were repaired, with what was wrong."""

    def __init__(self) -> None:
        self.findings = NO_FINDINGS
        self.positions: list[str] = []

    def add(self, findings: Findings, place_of: Callable[[int], object]) -> None:
        """Count what was odd about some lines; ``place_of`` returns where one is, by its position in ``findings``."""
        self.findings = self.findings.followed_by(findings)
        for position, kind in findings.repaired[: MOST_POSITIONS - len(self.positions)]:
            self.positions.append(f"{place_of(position)} ({kind.value})")

    def log_warnings(self, what: str) -> None:
        """Log one warning for each kind of what was odd in reading ``what``."""
        for text in _warnings(self.findings, self.positions):
            _logger.warning("%s: %s", what, text)

    def summary_parts(self) -> list[str]:
        """Return how much was odd, for a line that has other figures as well."""
        counted = ((self.findings.total(*kinds), words) for kinds, words in _PARTS)
        return [f"{count:,} {words}" for count, words in counted if count]


def _warnings(findings: Findings, positions: Sequence[str]) -> Iterator[str]:
    """Yield one warning for each kind; none of them quotes an event."""
    repaired = [f"{findings.total(kind):,} {words}" for kind, words in _REPAIRED.items() if findings.total(kind)]
    if repaired:
        first = f"; the first: {'; '.join(positions)}" if positions else ""
        yield f"Lines were repaired and emitted: {', '.join(repaired)}{first}."
    if fields := _by_field(findings, OddityKind.SURROGATE):
        yield f"Lone surrogates, which no text in UTF-8 can hold, became U+FFFD, in {fields}."
    if fields := _by_field(findings, OddityKind.UNREAD_DATETIME):
        yield (
            "Datetimes of an unknown form, or that the calendar does not have, were passed on as they came, in "
            f"{fields}."
        )
    if fields := _misfits(findings):
        yield (
            f"Values that do not have the type their field is declared with were passed on as they came: {fields}. "
            "docs/connector.md says what typed destinations make of them."
        )
    if fields := _by_field(findings, OddityKind.IN_OTHER):
        yield f"Values that do not fit the type of their column are in the column _other: {fields}."
    if fields := _by_field(findings, OddityKind.LEFT_OUT):
        yield f"Values that do not fit the type of their column are left out, without the column _other: {fields}."


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
        f"{name} is declared as {declared} and came as {', '.join(f'{found} ({n:,})' for found, n in counts.items())}"
        for (name, declared), counts in fields.items()
    )
