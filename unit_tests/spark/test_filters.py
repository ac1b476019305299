from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.spark.partitions import narrow
from source_amplitude.windows import HOUR, HourWindow

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = datetime(2026, 3, 4, tzinfo=timezone.utc)
SPAN = HourWindow(DAY, DAY + 24 * HOUR)
UPLOADED = ("server_upload_time",)


@dataclass(frozen=True)
class Filter:
    attribute: tuple[str, ...]
    value: object


class EqualTo(Filter): ...


class GreaterThan(Filter): ...


class GreaterThanOrEqual(Filter): ...


class LessThan(Filter): ...


class LessThanOrEqual(Filter): ...


class EqualNullSafe(Filter): ...


class In(Filter): ...


class StringContains(Filter): ...


@dataclass(frozen=True)
class Not:
    child: Filter


COMPARISONS: dict[type[Filter], Callable[[datetime, datetime], bool]] = {
    EqualTo: lambda row, value: row == value,
    GreaterThan: lambda row, value: row > value,
    GreaterThanOrEqual: lambda row, value: row >= value,
    LessThan: lambda row, value: row < value,
    LessThanOrEqual: lambda row, value: row <= value,
}


def at(hour: int, minute: int = 0) -> datetime:
    return DAY + timedelta(hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("filters", "first", "end"),
    [
        ([GreaterThanOrEqual(UPLOADED, at(5, 30))], 5, 24),
        ([GreaterThan(UPLOADED, at(5))], 5, 24),
        ([LessThan(UPLOADED, at(5))], 0, 5),
        ([LessThan(UPLOADED, at(5, 1))], 0, 6),
        ([LessThanOrEqual(UPLOADED, at(5))], 0, 6),
        ([EqualTo(UPLOADED, at(7, 59))], 7, 8),
        ([In(UPLOADED, (at(3), at(9, 30)))], 3, 10),
        ([GreaterThanOrEqual(UPLOADED, at(3)), LessThan(UPLOADED, at(4))], 3, 4),
        ([GreaterThan(("event_time",), at(5))], 0, 24),
        ([Not(GreaterThan(UPLOADED, at(5)))], 0, 24),
        ([StringContains(UPLOADED, "2026"), In(UPLOADED, ("2026", at(5)))], 0, 24),
        ([GreaterThan(UPLOADED, "2026-03-04")], 0, 24),
    ],
    ids=str,
)
def test_bounds_on_the_upload_time_narrow_the_hours(filters: list[object], first: int, end: int) -> None:
    assert narrow(SPAN, filters) == HourWindow(at(first), at(end))


@pytest.mark.parametrize("kind", [*COMPARISONS, EqualNullSafe], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("year", [1, 9999])
def test_years_1_and_9999_are_valid_bounds(kind: type[Filter], year: int) -> None:
    moment = datetime(1, 1, 1, tzinfo=timezone.utc) if year == 1 else datetime(year, 12, 31, 23, tzinfo=timezone.utc)
    is_fulfilled = COMPARISONS.get(kind, COMPARISONS[EqualTo])(DAY, moment)

    assert narrow(SPAN, [kind(UPLOADED, moment)]) == (SPAN if is_fulfilled else None)


def test_a_time_without_a_zone_is_ignored() -> None:
    assert narrow(SPAN, [EqualTo(UPLOADED, at(7).replace(tzinfo=None))]) == SPAN


def test_a_null_safe_comparison_is_a_bound() -> None:
    assert narrow(SPAN, [EqualNullSafe(UPLOADED, at(7, 59))]) == HourWindow(at(7), at(8))


def test_bounds_that_exclude_every_hour_leave_no_hours() -> None:
    assert narrow(SPAN, [GreaterThan(UPLOADED, at(30))]) is None
    assert narrow(SPAN, [LessThan(UPLOADED, at(0))]) is None
    assert narrow(SPAN, [GreaterThan(UPLOADED, at(8)), LessThan(UPLOADED, at(3))]) is None


MOMENTS = st.integers(-90_000, 180_000).map(lambda seconds: DAY + timedelta(seconds=seconds))


@given(st.lists(st.tuples(st.sampled_from(list(COMPARISONS)), MOMENTS), max_size=4), MOMENTS)
def test_every_matching_row_is_in_the_narrowed_hours(
    bounds: list[tuple[type[Filter], datetime]], row: datetime
) -> None:
    window = narrow(SPAN, [kind(UPLOADED, value) for kind, value in bounds])

    if row in SPAN and all(COMPARISONS[kind](row, value) for kind, value in bounds):
        assert window is not None
        assert row in window
    assert window is None or (window.start in SPAN and window.end <= SPAN.end)


def test_whole_days_of_day_files_are_requested() -> None:
    day = datetime(2014, 3, 4, tzinfo=timezone.utc)

    narrowed = narrow(HourWindow(day, day + 72 * HOUR), [EqualTo(UPLOADED, day + 30 * HOUR)])

    assert narrowed == HourWindow(day + 24 * HOUR, day + 48 * HOUR)
