from __future__ import annotations

from datetime import date, datetime, timedelta, timezone, tzinfo

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.rows.days import ONE_DAY, DaySpan, Interval, last_ended_day, parse_day, plan_days

DAYS = st.dates(min_value=date(2010, 1, 1), max_value=date(2040, 12, 31))


def spans(*texts: str) -> list[DaySpan]:
    """Return spans written as ``2026-03-01/2026-03-04``."""
    return [DaySpan(*map(date.fromisoformat, text.split("/"))) for text in texts]


@pytest.mark.parametrize(
    ("interval", "day", "first", "last"),
    [
        (Interval.DAY, "2026-03-04", "2026-03-04", "2026-03-04"),
        (Interval.WEEK, "2026-03-02", "2026-03-02", "2026-03-08"),  # a Monday
        (Interval.WEEK, "2026-03-08", "2026-03-02", "2026-03-08"),
        (Interval.WEEK, "2026-01-01", "2025-12-29", "2026-01-04"),
        (Interval.MONTH, "2026-03-01", "2026-03-01", "2026-03-31"),
        (Interval.MONTH, "2026-12-31", "2026-12-01", "2026-12-31"),
        (Interval.MONTH, "2025-02-28", "2025-02-01", "2025-02-28"),
        (Interval.MONTH, "2024-02-29", "2024-02-01", "2024-02-29"),
    ],
)
def test_a_day_is_in_an_interval_of_the_calendar(interval: Interval, day: str, first: str, last: str) -> None:
    start = interval.start_of(date.fromisoformat(day))

    assert (str(start), str(interval.last_of(start))) == (first, last)


@given(DAYS, st.sampled_from(Interval))
def test_the_day_after_an_interval_begins_the_next_one(day: date, interval: Interval) -> None:
    start = interval.start_of(day)
    last = interval.last_of(start)

    assert start <= day <= last
    assert {interval.start_of(each) for each in DaySpan(start, last)} == {start}
    assert interval.start_of(last + ONE_DAY) == last + ONE_DAY


def test_the_intervals_are_amplitude_s_parameters() -> None:
    assert {interval.name: interval.value for interval in Interval} == {"DAY": 1, "WEEK": 7, "MONTH": 30}


def test_a_span_counts_and_lists_both_of_its_ends() -> None:
    one, three = spans("2026-02-28/2026-02-28", "2026-02-28/2026-03-02")

    assert (one.days, list(one), str(one)) == (1, [one.first], "2026-02-28")
    assert (three.days, str(three)) == (3, "2026-02-28 to 2026-03-02")
    assert list(three) == [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-03-04T11:59:59+00:00", None, "2026-03-02"),  # still 3 March in UTC-12
        ("2026-03-04T12:00:00+00:00", None, "2026-03-03"),
        ("2026-03-04T23:59:59+00:00", "UTC", "2026-03-03"),
        ("2026-03-05T00:00:00+00:00", "UTC", "2026-03-04"),
        ("2026-03-04T22:59:59+00:00", "Europe/Berlin", "2026-03-03"),
        ("2026-03-04T23:00:00+00:00", "Europe/Berlin", "2026-03-04"),
        ("2026-07-04T22:00:00+00:00", "Europe/Berlin", "2026-07-04"),  # summer time
        ("2026-03-04T10:00:00+00:00", "Pacific/Kiritimati", "2026-03-04"),  # UTC+14
        ("2026-03-04T10:59:59+00:00", "Pacific/Pago_Pago", "2026-03-02"),  # UTC-11
        ("2026-03-04T11:00:00+00:00", "Pacific/Pago_Pago", "2026-03-03"),
        ("2026-03-05T08:00:00+09:00", "UTC", "2026-03-03"),
    ],
)
def test_the_last_ended_day_depends_on_the_project_s_time_zone(now: str, zone: str | None, expected: str) -> None:
    tz: tzinfo | None = pendulum.timezone(zone) if zone else None

    assert str(last_ended_day(datetime.fromisoformat(now), tz)) == expected


@given(
    st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1), timezones=st.just(timezone.utc)),  # noqa: DTZ001 - bounds
    st.sampled_from(sorted(pendulum.timezones())),
)
def test_a_day_ended_everywhere_has_ended_in_every_time_zone(now: datetime, name: str) -> None:
    zone = pendulum.timezone(name)
    everywhere, there = last_ended_day(now, None), last_ended_day(now, zone)

    assert everywhere <= there < now.astimezone(zone).date()


@pytest.mark.parametrize(
    ("first", "last", "interval", "most_days", "expected"),
    [
        ("2026-03-01", "2026-03-03", Interval.DAY, 2, spans("2026-03-01/2026-03-02", "2026-03-03/2026-03-03")),
        ("2026-03-05", "2026-03-05", Interval.DAY, 30, spans("2026-03-05/2026-03-05")),
        ("2026-03-06", "2026-03-05", Interval.DAY, 30, []),
        ("2026-03-04", "2026-03-14", Interval.WEEK, 30, spans("2026-03-02/2026-03-08")),
        ("2026-03-04", "2026-03-15", Interval.WEEK, 13, spans("2026-03-02/2026-03-08", "2026-03-09/2026-03-15")),
        ("2026-03-04", "2026-03-15", Interval.WEEK, 14, spans("2026-03-02/2026-03-15")),
        ("2026-01-31", "2026-04-29", Interval.MONTH, 60, spans("2026-01-01/2026-02-28", "2026-03-01/2026-03-31")),
        ("2026-02-01", "2026-03-31", Interval.MONTH, 1, spans("2026-02-01/2026-02-28", "2026-03-01/2026-03-31")),
    ],
)  # fmt: skip
def test_spans_are_as_long_as_allowed(
    first: str, last: str, interval: Interval, most_days: int, expected: list[DaySpan]
) -> None:
    planned = plan_days(date.fromisoformat(first), date.fromisoformat(last), interval, most_days)

    assert list(planned) == expected


@given(DAYS, st.integers(-40, 800), st.sampled_from(Interval), st.integers(1, 400))
def test_spans_cover_each_whole_interval_exactly_once(
    first: date, days: int, interval: Interval, most_days: int
) -> None:
    last = first + timedelta(days=days)

    planned = list(plan_days(first, last, interval, most_days))

    starts = {interval.start_of(each) for each in DaySpan(first, last)} if days >= 0 else {interval.start_of(first)}
    whole = sorted(start for start in starts if interval.last_of(start) <= last)
    covered = [day for span in planned for day in span]
    assert covered == [day for start in whole for day in DaySpan(start, interval.last_of(start))]
    for span in planned:
        one_interval = DaySpan(span.first, interval.last_of(interval.start_of(span.first)))
        assert span.days <= most_days or span == one_interval


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04",
        "2026-03-04T00:00:00",
        "2026-03-04T23:59:59.999999+00:00",
        "2026-03-04 00:00:00.000000",
        "2026-03-04T",
    ],
)
def test_a_day_is_parsed_from_the_start_of_a_text(text: str) -> None:
    assert parse_day(text) == date(2026, 3, 4)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "2026-02-30",
        "2026-3-4",
        "2026-03-041",
        "2026-03-04 ".strip() + "x",
        "20260304",
        "2026-W10-3",
        "2026-063",
        " 2026-03-04",
        "٢٠٢٦-٠٣-٠٤",  # digits that int() would read
        "0000-01-01",
        "Mar 04",
        20260304,
        True,
        ["2026-03-04"],
        {"date": "2026-03-04"},
        10**5000,
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) else type(value).__name__,
)
def test_other_values_are_not_a_day(value: object) -> None:
    assert parse_day(value) is None
