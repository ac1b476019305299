"""How the conditions of hours are shown, on the page as in the terminal, so that they differ without colour too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.landing.coverage import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from source_amplitude.landing.coverage import Coverage, HourCover

LEVELS = 8
"""How many shades tell the sizes of hours with events apart, 1 the smallest."""

_THOUSANDS = ("", "k", "M", "G", "T")
_BYTES = ("bytes", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True)
class Symbol:
    """How a condition is shown.

    Attributes:
        symbol: One column wide; not used on the page for done hours, which show their events.
        ascii: The same where only ASCII can be printed.
        meaning: What it says of an hour, for the legend.
    """

    unicode: str
    ascii: str
    meaning: str


SYMBOLS = {
    Condition.DONE: Symbol("▆", "6", "landed"),
    Condition.EMPTY: Symbol("·", ".", "Amplitude has no events"),
    Condition.OPEN: Symbol("?", "?", "nothing published yet"),
    Condition.ACCEPTED: Symbol("–", "-", "left out on purpose"),  # noqa: RUF001 - a dash is meant
    Condition.MISSING: Symbol("×", "x", "not landed"),  # noqa: RUF001 - a cross is meant
    Condition.SHORT: Symbol("½", "%", "not all is in the store"),
    Condition.FAILED: Symbol("!", "!", "could not be landed"),
}
"""Of every condition, in the order of legends."""


def hours_in(hours: Iterable[HourCover]) -> int:
    """Return how many hours these are; a day with day files counts 24."""
    return sum(each.window.hours for each in hours)


def days_and_hours(coverage: Coverage) -> str:
    days = sum(1 for _ in coverage.by_day())
    return f"{counted(days, 'day')}, {counted(hours_in(coverage.hours), 'hour')}"


def hours_missing(hours: Iterable[HourCover]) -> int:
    """Return how many of these hours are to be fetched."""
    return hours_in(each for each in hours if each.condition.is_missing)


def level(events: int, largest: int) -> int:
    """Return the shade of an hour with events, 1 to `LEVELS`, and 0 for none.

    It goes with the cube root: an hour with a thousandth of the largest one's events is still seen, and a busy hour
    is still told from a quiet one.
    """
    if events <= 0:
        return 0
    return min(LEVELS, 1 + int((events / max(largest, events)) ** (1 / 3) * LEVELS))


def short_count(count: int) -> str:
    """Return a count in at most four characters, such as ``999``, ``1.2k``, ``35k`` and ``2.5M``; rounded."""
    return "".join(_scaled(count, _THOUSANDS))


def size(number: int) -> str:
    """Return a number of bytes for people, such as ``1.2 MB``; a kB has 1000 bytes."""
    return "1 byte" if number == 1 else " ".join(_scaled(number, _BYTES))


def _scaled(number: int, units: tuple[str, ...]) -> tuple[str, str]:
    """Return at most three digits, and the unit that they are in."""
    scaled, power = float(number), 0
    while scaled >= 999.5 and power < len(units) - 1:  # noqa: PLR2004 - what would be written as 1000
        scaled, power = scaled / 1000, power + 1
    digits = f"{scaled:.1f}" if power and scaled < 9.95 else f"{scaled:.0f}"  # noqa: PLR2004 - what rounds below 10
    return digits, units[power]
