"""A coverage as a grid for a terminal: one line per day, two columns per hour, the newest day last.

The grid is readable without colour and in 80 columns. It is plain ASCII if the output cannot encode block characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from source_amplitude.landing.coverage import Condition
from source_amplitude.report.symbols import SYMBOLS, days_and_hours, hours_in, hours_missing, level, short_count, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions

    from source_amplitude.landing.coverage import Coverage, HourCover

HOURS = 24
BARS = "▁▂▃▄▅▆▇█"
DIGITS = "12345678"

_DAY_WIDTH = len("2026-01-01  ")
_HOUR_WIDTH = 2
_GAP = "   "
_EVENTS_WIDTH, _SIZE_WIDTH, _MISSING_WIDTH = 7, 8, 5
_STYLES = {
    Condition.DONE: "color(2)",
    Condition.EMPTY: "dim",
    Condition.OPEN: "cyan",
    Condition.ACCEPTED: "dim",
    Condition.MISSING: "bold red",
    Condition.SHORT: "bold yellow",
    Condition.FAILED: "bold red reverse",
}


class Grid:
    """A rich renderable: a grid of hours by days, with totals per day and a legend.

    In less than 80 columns the totals are left out, from the right.
    """

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._largest = max((each.events for each in coverage.hours), default=0)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[Text]:
        plain = options.ascii_only or options.legacy_windows
        width = options.max_width
        yield _line(self._heading(), _totals("events", "size", "miss"), width)
        for day, hours in self._coverage.by_day():
            cells = Text(f"{day:%Y-%m-%d}  ").append_text(self._cells(hours, plain=plain))
            yield _line(cells, _totals_of(hours), width)
        hours = self._coverage.hours
        total = Text(days_and_hours(self._coverage).ljust(_DAY_WIDTH + HOURS * _HOUR_WIDTH))
        yield _line(total, _totals_of(hours), width)
        yield Text("")
        yield from _wrapped(self._legend(plain=plain), width)

    def _heading(self) -> Text:
        every = 3
        labels = "".join(f"{hour:02}".ljust(every * _HOUR_WIDTH) for hour in range(0, HOURS, every))
        return Text("UTC".ljust(_DAY_WIDTH) + labels, style="bold")

    def _cells(self, hours: tuple[HourCover, ...], *, plain: bool) -> Text:
        if hours[0].window.hours > 1:
            cells = self._symbol(hours[0], plain=plain).append(" for the whole day", style="dim")
        else:
            cells = Text(" " * _HOUR_WIDTH * hours[0].window.start.hour)
            for each in hours:
                cells.append_text(self._symbol(each, plain=plain)).append(" ")
        cells.pad_right(HOURS * _HOUR_WIDTH - cells.cell_len)
        return cells

    def _symbol(self, hour: HourCover, *, plain: bool) -> Text:
        symbol, style = SYMBOLS[hour.condition], _STYLES[hour.condition]
        if hour.condition is Condition.DONE:
            bar = max(1, level(hour.events, self._largest)) - 1
            return Text(DIGITS[bar] if plain else BARS[bar], style=style)
        return Text(symbol.ascii if plain else symbol.unicode, style=style)

    def _legend(self, *, plain: bool) -> Iterator[Text]:
        for condition, symbol in SYMBOLS.items():
            hours = hours_in(self._coverage.of(condition))
            if not hours:
                continue
            unicode = symbol.ascii if plain else symbol.unicode
            if condition is Condition.DONE:
                unicode = f"{DIGITS[0]}-{DIGITS[-1]}" if plain else f"{BARS[0]}{BARS[len(BARS) // 2]}{BARS[-1]}"
            yield Text(unicode, style=_STYLES[condition]).append(f" {condition.value} {hours:,}", style="not bold")


def _wrapped(parts: Iterator[Text], width: int) -> Iterator[Text]:
    """Yield lines that break only between parts; rich would break at any blank."""
    line = Text(no_wrap=True, overflow="ignore")
    for part in parts:
        if line.cell_len and line.cell_len + len(_GAP) + part.cell_len > width:
            yield line
            line = Text(no_wrap=True, overflow="ignore")
        line.append(_GAP if line.cell_len else "").append_text(part)
    yield line


def _totals_of(hours: tuple[HourCover, ...]) -> tuple[Text, ...]:
    missing = hours_missing(hours)
    events, stored = sum(each.events for each in hours), sum(each.object_bytes for each in hours)
    totals = _totals(short_count(events), size(stored).replace("bytes", "B"), f"{missing:,}" if missing else "")
    totals[-1].stylize("bold red")
    return totals


def _totals(events: str, stored: str, missing: str) -> tuple[Text, ...]:
    return (
        Text(events.rjust(_EVENTS_WIDTH)),
        Text(stored.rjust(_SIZE_WIDTH)),
        Text(missing.rjust(_MISSING_WIDTH)),
    )


def _line(cells: Text, totals: tuple[Text, ...], width: int) -> Text:
    line = Text(no_wrap=True, overflow="ignore").append_text(cells)
    for total in totals:
        if line.cell_len + total.cell_len > width:
            break
        line.append_text(total)
    line.rstrip()
    return line
