from __future__ import annotations

import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from source_amplitude.landing.coverage import Condition, Coverage, HourCover
from source_amplitude.report.symbols import SYMBOLS
from source_amplitude.report.terminal_grid import BARS, DIGITS, Grid
from source_amplitude.windows import DAY, DAY_FILES_END, HOUR, HourWindow
from unit_tests.report.coverages import COVERAGES, MIDNIGHT, covering, span

NOON = MIDNIGHT + HOUR * 12


def printed(coverage: Coverage, *, encoding: str = "utf-8", width: int = 80, colour: bool = False) -> str:
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    console = Console(
        file=output, width=width, force_terminal=colour, color_system="standard" if colour else None, _environ={}
    )
    console.print(Grid(coverage))
    output.flush()
    assert isinstance(output.buffer, io.BytesIO)
    return output.buffer.getvalue().decode(encoding)


def small() -> Coverage:
    """Return half a day, a whole day and two hours, with eight sizes and every condition."""
    sizes = (1, 10, 100, 500, 1_500, 3_000, 6_000, 10_000, 0, 999, 1_000, 999_499 // 100)
    hours = [
        HourCover(HourWindow(hour, hour + HOUR), Condition.DONE, events=events, object_bytes=events * 150, objects=1)
        for hour, events in zip((NOON + HOUR * n for n in range(12)), sizes, strict=True)
    ]
    conditions = (*Condition, *[Condition.EMPTY] * 17, Condition.OPEN, Condition.OPEN)
    for number, condition in enumerate(conditions):
        hour = MIDNIGHT + DAY + HOUR * number
        hours.append(HourCover(HourWindow(hour, hour + HOUR), condition))
    return Coverage(HourWindow(NOON, hours[-1].window.end), tuple(hours))


def test_grid_fits_into_eighty_columns() -> None:
    lines = printed(small()).splitlines()

    assert lines == [
        "UTC         00    03    06    09    12    15    18    21     events    size miss",
        "2026-10-06                          ▁ ▁ ▂ ▃ ▅ ▆ ▇ █ ▁ ▄ ▄ █     33k  5.0 MB",
        "2026-10-07  ▁ · ? – × ½ ! · · · · · · · · · · · · · · · · ·       0     0 B    3",  # noqa: RUF001
        "2026-10-08  ? ?                                                   0     0 B",
        "3 days, 38 hours                                                33k  5.0 MB    3",
        "",
        "▁▅█ done 13   · empty 18   ? open 3   – accepted 1   × missing 1   ½ short 1",  # noqa: RUF001
        "! failed 1",
    ]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_grid_is_ascii_if_the_encoding_lacks_blocks(encoding: str) -> None:
    lines = printed(small(), encoding=encoding).splitlines()

    assert lines == [
        "UTC         00    03    06    09    12    15    18    21     events    size miss",
        "2026-10-06                          1 1 2 3 5 6 7 8 1 4 4 8     33k  5.0 MB",
        "2026-10-07  1 . ? - x % ! . . . . . . . . . . . . . . . . .       0     0 B    3",
        "2026-10-08  ? ?                                                   0     0 B",
        "3 days, 38 hours                                                33k  5.0 MB    3",
        "",
        "1-8 done 13   . empty 18   ? open 3   - accepted 1   x missing 1   % short 1",
        "! failed 1",
    ]


def test_colour_does_not_change_the_text() -> None:
    coloured = printed(small(), colour=True)
    plain = "".join(piece.partition("m")[2] if at else piece for at, piece in enumerate(coloured.split("\x1b[")))

    assert plain == printed(small())
    assert coloured != plain


def test_day_with_day_files_is_one_symbol() -> None:
    coverage = covering(span(DAY_FILES_END - DAY, 26), {DAY_FILES_END - DAY: Condition.FAILED})

    lines = printed(coverage).splitlines()

    assert lines[1].startswith("2014-11-11  ! for the whole day  ")
    assert lines[1].endswith("   24")
    assert lines[3].startswith("2 days, 26 hours")


@pytest.mark.parametrize(("width", "end"), [(80, "miss"), (79, "size"), (70, "events"), (66, "21"), (60, "21")])
def test_narrow_terminal_drops_totals_from_the_right(width: int, end: str) -> None:
    heading = printed(small(), width=width).splitlines()[0]

    assert heading.split()[-1] == end


def cells_of(lines: list[str]) -> Counter[tuple[str, int, str]]:
    """Count the symbols by day and hour."""
    days = [line for line in lines[1:] if line[4:5] == "-"]
    return Counter(
        (line[:10], hour, line[12 + 2 * hour])
        for line in days
        for hour in range(1 if "whole" in line else 24)
        if line[12 + 2 * hour : 13 + 2 * hour].strip()
    )


@given(COVERAGES, st.booleans())
def test_grid_has_every_hour_once_with_its_symbol(coverage: Coverage, plain: bool) -> None:  # noqa: FBT001
    lines = printed(coverage, encoding="ascii" if plain else "utf-8").splitlines()

    bars = dict.fromkeys(DIGITS if plain else BARS, "done")
    symbols = {
        (symbol.ascii if plain else symbol.unicode): condition.value for condition, symbol in SYMBOLS.items()
    } | bars
    shown = Counter((day, hour, symbols[unicode]) for day, hour, unicode in cells_of(lines).elements())
    expected = Counter(
        (f"{each.window.start:%Y-%m-%d}", each.window.start.hour, each.condition.value) for each in coverage.hours
    )
    assert shown == expected


def test_newest_day_is_last() -> None:
    days = [line[:10] for line in printed(covering(span(MIDNIGHT, 72), {})).splitlines()[1:4]]

    assert days == ["2026-10-06", "2026-10-07", "2026-10-08"]
