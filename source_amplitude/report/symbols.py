"""Symbols of conditions, for the page and the terminal; they differ without colour too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.landing.coverage import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from source_amplitude.landing.coverage import Coverage, HourCover

LEVELS = 8
"""Number of shades for the event counts of hours; 1 is the smallest count."""

_THOUSANDS = ("", "k", "M", "G", "T")
_BYTES = ("bytes", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True)
class Symbol:
    """The symbol of a condition.

    Attributes:
        unicode: The symbol, one column wide; on the page, done hours show their event count instead.
        ascii: The symbol for terminals that print only ASCII.
        meaning: The condition's description in the legend.
    """

    unicode: str
    ascii: str
    meaning: str


SYMBOLS = {
    Condition.DONE: Symbol("▆", "6", "landed"),
    Condition.EMPTY: Symbol("·", ".", "Amplitude has no events"),
    Condition.OPEN: Symbol("?", "?", "not published yet"),
    Condition.ACCEPTED: Symbol("–", "-", "accepted gap"),  # noqa: RUF001 - a dash is meant
    Condition.MISSING: Symbol("×", "x", "not landed"),  # noqa: RUF001 - a cross is meant
    Condition.SHORT: Symbol("½", "%", "incomplete in the store"),
    Condition.FAILED: Symbol("!", "!", "landing failed"),
}
"""The symbols of all conditions, in the order of the legend."""


def hours_in(hours: Iterable[HourCover]) -> int:
    """Return the number of hours; a day with day files counts as 24."""
    return sum(each.window.hours for each in hours)


def days_and_hours(coverage: Coverage) -> str:
    days = sum(1 for _ in coverage.by_day())
    return f"{counted(days, 'day')}, {counted(hours_in(coverage.hours), 'hour')}"


def hours_missing(hours: Iterable[HourCover]) -> int:
    """Return the number of hours that have to be landed (again)."""
    return hours_in(each for each in hours if each.condition.is_missing)


def level(events: int, largest: int) -> int:
    """Return the shade of an hour, from 1 to `LEVELS`, or 0 without events.

    The scale is a cube root: an hour with a thousandth of the largest hour's events is still visible, and busy and
    quiet hours still differ.
    """
    if events <= 0:
        return 0
    return min(LEVELS, 1 + int((events / max(largest, events)) ** (1 / 3) * LEVELS))


def short_count(count: int) -> str:
    """Return a rounded count in at most four characters, such as ``999``, ``1.2k``, ``35k`` and ``2.5M``."""
    return "".join(_scaled(count, _THOUSANDS))


def size(number: int) -> str:
    """Return a readable size, such as ``1.2 MB``; 1 kB is 1000 bytes."""
    return "1 byte" if number == 1 else " ".join(_scaled(number, _BYTES))


def _scaled(number: int, units: tuple[str, ...]) -> tuple[str, str]:
    """Return a number with at most three digits, and its unit."""
    scaled, power = float(number), 0
    while scaled >= 999.5 and power < len(units) - 1:  # noqa: PLR2004 - would round to 1000
        scaled, power = scaled / 1000, power + 1
    digits = f"{scaled:.1f}" if power and scaled < 9.95 else f"{scaled:.0f}"  # noqa: PLR2004 - rounds below 10
    return digits, units[power]
