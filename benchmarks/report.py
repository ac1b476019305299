"""The result of a benchmark part: tables, figures for programs, and targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Table:
    """A table; the first column is a name, the others are figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return the table with aligned columns."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        rules = ["-" * width if number == 0 else "-" * (width - 1) + ":" for number, width in enumerate(widths)]
        lines = [_line(self.columns, widths), _line(rules, widths)]
        return "\n".join(lines + [_line(row, widths) for row in self.rows])


@dataclass(frozen=True)
class Target:
    """A promised limit.

    Attributes:
        text: The description with the limit.
        measured: The measured value.
        is_met: Whether the value is within the limit.
    """

    text: str
    measured: str
    is_met: bool


@dataclass(frozen=True)
class Section:
    """The result of one part.

    Attributes:
        title: The heading.
        tables: The tables of figures.
        notes: The notes about the measurement.
        targets: The targets.
        figures: All measurements, for `results.json`.
    """

    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    figures: Any = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the section as Markdown."""
        parts = [f"## {self.title}", *(table.markdown() for table in self.tables)]
        if self.targets:
            rows = [(target.text, target.measured, "met" if target.is_met else "missed") for target in self.targets]
            parts.append(Table(("target", "measured", ""), tuple(rows)).markdown())
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts) + "\n"


def at_most(text: str, measured: float | None, limit: float, unit: str = "") -> list[Target]:
    """Return a target with an upper limit; empty if it was not measured."""
    if measured is None:
        return []
    return [Target(f"{text}: at most {limit:g}{unit}", f"{measured:.3g}{unit}", measured <= limit)]


def at_least(text: str, measured: float | None, limit: float, unit: str = "") -> list[Target]:
    """Return a target with a lower limit; empty if it was not measured."""
    if measured is None:
        return []
    return [Target(f"{text}: at least {limit:g}{unit}", f"{measured:.3g}{unit}", measured >= limit)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = [
        cell.ljust(width) if number == 0 else cell.rjust(width) for number, (cell, width) in _numbered(cells, widths)
    ]
    return f"| {' | '.join(shown)} |"


def _numbered(cells: Sequence[str], widths: Sequence[int]) -> list[tuple[int, tuple[str, int]]]:
    return list(enumerate(zip(cells, widths, strict=True)))
