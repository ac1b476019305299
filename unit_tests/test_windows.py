from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.windows import (
    DAY,
    DAY_FILES_END,
    HOUR,
    HourSet,
    HourWindow,
    floor_hour,
    floor_unit,
    hour_window,
    parse_moment,
    plan,
    split,
    take_window,
)

UTC = timezone.utc
MIDNIGHT = datetime(2024, 3, 1, tzinfo=UTC)
INDIA = timezone(timedelta(hours=5, minutes=30))


def h(number: int) -> datetime:
    return MIDNIGHT + HOUR * number


def window(first: int, end: int) -> HourWindow:
    return HourWindow(h(first), h(end))


# Many spans are near the change from day files to hour files.
OFFSETS = st.integers(-100, 100) | st.integers(0, 100_000)
SPANS = st.builds(
    lambda first, length: HourWindow(DAY_FILES_END + HOUR * first, DAY_FILES_END + HOUR * (first + length)),
    OFFSETS,
    st.integers(1, 300),
)
WHOLE_SPANS = st.builds(
    lambda span: HourWindow(floor_unit(span.start), max(floor_unit(span.end), floor_unit(span.start) + DAY)), SPANS
)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (MIDNIGHT, MIDNIGHT),
        (h(1), h(0)),
        (h(0), h(1) + timedelta(minutes=1)),
        (h(0) + timedelta(microseconds=1), h(1)),
        (datetime(2024, 3, 1), h(1)),  # noqa: DTZ001 - naive on purpose
        (h(0), datetime(2024, 3, 1, 1)),  # noqa: DTZ001 - as above
        (h(0).astimezone(INDIA), h(1)),
    ],
)
def test_window_needs_whole_utc_hours(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match=r"is not a whole hour in UTC|needs at least one hour"):
        HourWindow(start, end)


def test_window_contains_its_start_but_not_its_end() -> None:
    nine_to_eleven = window(9, 11)

    assert list(nine_to_eleven) == [h(9), h(10)]
    assert nine_to_eleven.hours == 2
    assert [h(number) in nine_to_eleven for number in (8, 9, 10, 11)] == [False, True, True, False]
    assert h(10) + timedelta(minutes=59) in nine_to_eleven


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        ((9, 10), "2024-03-01 09:00 UTC"),
        ((23, 24), "2024-03-01 23:00 UTC"),
        ((9, 11), "2024-03-01 09:00 to 11:00 UTC"),
        ((0, 23), "2024-03-01 00:00 to 23:00 UTC"),
        ((0, 24), "2024-03-01 00:00 to 2024-03-02 00:00 UTC"),
        ((20, 24), "2024-03-01 20:00 to 2024-03-02 00:00 UTC"),
        ((20, 26), "2024-03-01 20:00 to 2024-03-02 02:00 UTC"),
        ((9, 33), "2024-03-01 09:00 to 2024-03-02 09:00 UTC"),
        ((9, 57), "2024-03-01 09:00 to 2024-03-03 09:00 UTC"),
    ],
)
def test_window_text_omits_the_second_date_within_a_day(hours: tuple[int, int], text: str) -> None:
    assert str(window(*hours)) == text


def test_floor_hour_rounds_down_in_utc() -> None:
    moment = datetime(2024, 3, 1, 9, 59, 59, 999_999, tzinfo=UTC)

    assert floor_hour(moment) == h(9)
    assert floor_hour(datetime(2024, 3, 1, 9, 20, tzinfo=INDIA)) == h(3)
    assert floor_hour(h(9)) == h(9)


@pytest.mark.parametrize(
    ("moment", "unit"),
    [
        (datetime(2014, 11, 11, 23, 59, tzinfo=UTC), HourWindow(DAY_FILES_END - DAY, DAY_FILES_END)),
        (datetime(2014, 11, 11, 0, tzinfo=UTC), HourWindow(DAY_FILES_END - DAY, DAY_FILES_END)),
        (datetime(2014, 11, 12, 0, 30, tzinfo=UTC), HourWindow(DAY_FILES_END, DAY_FILES_END + HOUR)),
        (datetime(2024, 3, 1, 9, 30, tzinfo=UTC), HourWindow(h(9), h(10))),
    ],
)
def test_set_of_files_was_a_day_before_2014_11_12(moment: datetime, unit: HourWindow) -> None:
    assert floor_unit(moment) == unit.start
    assert hour_window(moment) == unit


def test_take_window_stops_at_its_size_or_the_end() -> None:
    assert take_window(window(0, 10), 4) == window(0, 4)
    assert take_window(window(0, 10), 10) == window(0, 10)
    assert take_window(window(0, 10), 8760) == window(0, 10)
    assert take_window(window(0, 1), 1) == window(0, 1)


def test_plan_covers_its_span_in_order() -> None:
    assert list(plan(window(1, 11), 4)) == [window(1, 5), window(5, 9), window(9, 11)]


def test_plan_has_whole_days_before_hour_files() -> None:
    start = DAY_FILES_END - 2 * DAY

    windows = list(plan(HourWindow(start, DAY_FILES_END + 3 * HOUR), 2))

    assert windows == [
        HourWindow(start, start + DAY),
        HourWindow(start + DAY, DAY_FILES_END),
        HourWindow(DAY_FILES_END, DAY_FILES_END + 2 * HOUR),
        HourWindow(DAY_FILES_END + 2 * HOUR, DAY_FILES_END + 3 * HOUR),
    ]


def test_take_window_stops_at_whole_days_before_hour_files() -> None:
    start = DAY_FILES_END - 10 * DAY

    assert take_window(HourWindow(start, DAY_FILES_END), 60) == HourWindow(start, start + 2 * DAY)
    assert take_window(HourWindow(start, DAY_FILES_END + DAY), 241) == HourWindow(start, DAY_FILES_END + HOUR)


@given(SPANS, st.integers(1, 60))
@settings(deadline=None)
def test_plan_covers_any_span_exactly_once(span: HourWindow, hours: int) -> None:
    windows = list(plan(span, hours))

    assert [hour for part in windows for hour in part] == list(span)
    assert [part for part in windows if part.hours > (max(hours, 24) if part.start < DAY_FILES_END else hours)] == []


@given(WHOLE_SPANS, st.integers(1, 60))
@settings(deadline=None)
def test_plan_never_cuts_a_day_of_files(span: HourWindow, hours: int) -> None:
    cuts = [part.end for part in plan(span, hours)]

    assert [cut for cut in cuts if floor_unit(cut) != cut] == []


@given(SPANS)
@settings(deadline=None)
def test_repeated_split_ends_at_single_sets_of_files(span: HourWindow) -> None:
    units: list[HourWindow] = []
    waiting = [span]
    while waiting:
        part = waiting.pop(0)
        halves = split(part)
        if halves is None:
            units.append(part)
        else:
            assert (halves[0].start, halves[0].end, halves[1].end) == (part.start, halves[1].start, part.end)
            waiting = [*halves, *waiting]

    assert [hour for unit in units for hour in unit] == list(span)
    assert [unit for unit in units if unit.hours > 1 and unit.start >= DAY_FILES_END] == []
    assert [unit for unit in units if unit.hours > 24] == []


def test_second_half_has_the_extra_hour() -> None:
    assert split(window(0, 10)) == (window(0, 5), window(5, 10))
    assert split(window(0, 5)) == (window(0, 2), window(2, 5))
    assert split(window(0, 2)) == (window(0, 1), window(1, 2))
    assert split(window(0, 1)) is None


def test_one_day_of_files_cannot_be_split() -> None:
    day = HourWindow(DAY_FILES_END - DAY, DAY_FILES_END)

    assert split(day) is None
    assert split(HourWindow(day.start - DAY, day.end)) == (HourWindow(day.start - DAY, day.start), day)
    assert split(HourWindow(day.start, day.end + HOUR)) == (day, HourWindow(day.end, day.end + HOUR))


SMALL_WINDOWS = st.builds(lambda first, length: window(first, first + length), st.integers(0, 40), st.integers(1, 12))
HOUR_SETS = st.lists(SMALL_WINDOWS, max_size=6).map(HourSet.of)


def plain(hours: HourSet) -> set[datetime]:
    return set(hours)


@given(st.lists(SMALL_WINDOWS, max_size=6))
@settings(deadline=None)
def test_hour_set_has_sorted_disjoint_windows(windows: list[HourWindow]) -> None:
    hours = HourSet.of(windows)

    expected = {hour for part in windows for hour in part}
    assert list(hours) == sorted(expected)
    assert len(hours) == len(expected)
    assert [h(number) in hours for number in range(-1, 60)] == [h(number) in expected for number in range(-1, 60)]
    assert [(a, b) for a, b in itertools.pairwise(hours.windows) if a.end >= b.start] == []


@given(HOUR_SETS, HOUR_SETS)
@settings(deadline=None)
def test_operators_match_plain_sets(a: HourSet, b: HourSet) -> None:
    assert a | b == HourSet.of(HourWindow(hour, hour + HOUR) for hour in plain(a) | plain(b))
    assert a - b == HourSet.of(HourWindow(hour, hour + HOUR) for hour in plain(a) - plain(b))
    assert a & b == HourSet.of(HourWindow(hour, hour + HOUR) for hour in plain(a) & plain(b))


def test_touching_windows_are_merged() -> None:
    assert HourSet.of([window(3, 5), window(0, 3), window(7, 8)]).windows == (window(0, 5), window(7, 8))
    assert HourSet.of([]) == HourSet()
    assert HourSet.of([window(0, 9), window(2, 3)]).windows == (window(0, 9),)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-01-25T00:00:00Z", datetime(2021, 1, 25, tzinfo=UTC)),
        ("2021-01-25T13:14:15z", datetime(2021, 1, 25, 13, 14, 15, tzinfo=UTC)),
        ("2021-01-25 13:14:15", datetime(2021, 1, 25, 13, 14, 15, tzinfo=UTC)),
        ("2021-01-25T13:14:15", datetime(2021, 1, 25, 13, 14, 15, tzinfo=UTC)),
        ("2021-01-25", datetime(2021, 1, 25, tzinfo=UTC)),
        ("2021-01-25T13", datetime(2021, 1, 25, 13, tzinfo=UTC)),
        ("2021-01-25T13:14", datetime(2021, 1, 25, 13, 14, tzinfo=UTC)),
        ("2021-01-25 13:14:15.123456", datetime(2021, 1, 25, 13, 14, 15, 123456, tzinfo=UTC)),
        ("2021-01-25T13:14:15.123Z", datetime(2021, 1, 25, 13, 14, 15, 123000, tzinfo=UTC)),
        ("2021-01-25T13:14:15.1Z", datetime(2021, 1, 25, 13, 14, 15, 100000, tzinfo=UTC)),
        ("2021-01-25T13:14:15.123456789Z", datetime(2021, 1, 25, 13, 14, 15, 123456, tzinfo=UTC)),
        ("2021-01-25T13:14:15.013000+00:00", datetime(2021, 1, 25, 13, 14, 15, 13000, tzinfo=UTC)),
        ("2021-01-25T00:30:00+05:30", datetime(2021, 1, 24, 19, 0, tzinfo=UTC)),
        ("2021-01-25T23:00:00-02:00", datetime(2021, 1, 26, 1, 0, tzinfo=UTC)),
    ],
)
def test_parse_moment_returns_utc(text: str, moment: datetime) -> None:
    parsed = parse_moment(text)

    assert parsed == moment
    assert parsed is not None
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "junk",
        20210125,
        1611532800.0,
        True,
        [],
        {},
        "20210125T00",
        "20210125",
        "2021-1-25",
        "2021-01-32",
        "2021-02-29T00:00:00Z",
        "2021-01-25T25:00:00Z",
        "2021-01-25T00:60:00Z",
        "2021-01-25T00:00:00+25:00",
        "2021-01-25T00:00:00 UTC",
        "2021-01-25Z",
        "2021-01-25Tmidnight",
        "2021-01-25 and more",
        "2021/01/25",
        "25.01.2021",
        "2021-W04-1",
        "0000-01-01",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:00:00-05:00",
    ],
    ids=repr,
)
def test_parse_moment_returns_none_for_other_values(value: object) -> None:
    assert parse_moment(value) is None


@given(st.text() | st.from_regex(r"\A\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?\Z"))
@settings(deadline=None)
def test_parse_moment_accepts_any_text(text: str) -> None:
    moment = parse_moment(text)

    assert moment is None or moment.utcoffset() == timedelta(0)


NAIVE_YEAR_2 = datetime(2, 1, 1)  # noqa: DTZ001 - hypothesis wants it naive
NAIVE_YEAR_9998 = datetime(9998, 1, 1)  # noqa: DTZ001 - as above
ZONES = st.sampled_from([UTC, INDIA, timezone(-timedelta(hours=11))])


@given(st.datetimes(NAIVE_YEAR_2, NAIVE_YEAR_9998, timezones=ZONES))
@settings(deadline=None)
def test_parse_moment_reads_any_isoformat(moment: datetime) -> None:
    assert parse_moment(moment.isoformat()) == moment
    assert parse_moment(moment.isoformat(" ")) == moment
