from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.dashboards import revenue_rows
from source_amplitude.rows.days import DaySpan
from unit_tests.rows.json_values import ANY_JSON, responses_with

NEW_YEAR = DaySpan(date(2025, 12, 30), date(2026, 1, 2))


def response(values: object) -> dict[str, object]:
    dates = list(values) if isinstance(values, dict) else []
    return {"data": {"seriesLabels": [0], "series": [{"dates": dates, "values": values}]}, "wasCached": True}


def test_dates_without_a_year_are_found_across_a_new_year() -> None:
    recorded = response(
        {
            "Jan 02": {"r1d": 0.5, "count": 3, "total_amount": 0},
            "Jan 01": {"r1d": 0},
            "Dec 31": {"r1d": 1.25},
            "Dec 30": {},
        }
    )

    assert revenue_rows(recorded, NEW_YEAR) == [
        {"date": "2025-12-30", "values": {}},
        {"date": "2025-12-31", "values": {"r1d": 1.25}},
        {"date": "2026-01-01", "values": {"r1d": 0}},
        {"date": "2026-01-02", "values": {"r1d": 0.5, "count": 3, "total_amount": 0}},
    ]


@pytest.mark.parametrize("name", ["2026-01-01", "2026-01-01T00:00:00", "Jan 01", "Jan 1"])
def test_a_date_may_have_either_form(name: str) -> None:
    assert revenue_rows(response({name: {"paid": 1}}), NEW_YEAR) == [{"date": "2026-01-01", "values": {"paid": 1}}]


def test_february_29_is_found_in_a_leap_year_only() -> None:
    leap = DaySpan(date(2024, 2, 1), date(2024, 3, 1))
    common = DaySpan(date(2025, 2, 1), date(2025, 3, 1))

    assert revenue_rows(response({"Feb 29": {}}), leap) == [{"date": "2024-02-29", "values": {}}]
    with pytest.raises(UnknownShapeError, match="'Feb 29', which matches 0 days of 2025-02-01 to 2025-03-01"):
        revenue_rows(response({"Feb 29": {}}), common)


def test_figures_may_be_null_or_objects() -> None:
    rows = revenue_rows(response({"Jan 01": {"r1d": None, "r2d": {"setId": "", "value": 2}}}), NEW_YEAR)

    assert rows == [{"date": "2026-01-01", "values": {"r1d": None, "r2d": 2}}]


@pytest.mark.parametrize("data", [{"series": []}, {"series": None}, {"series": [{"dates": [], "values": {}}]}], ids=str)
def test_no_series_and_no_dates_are_no_rows(data: object) -> None:
    assert revenue_rows({"data": data}, NEW_YEAR) == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"data": None},
        {"data": {}},
        {"data": {"series": {}}},
        {"data": {"series": [None]}},
        {"data": {"series": [{}]}},
        {"data": {"series": [{"values": {}}, {"values": {}}]}},
        response(None),
        response([]),
        response({"Jan 01": 5}),
        response({"Jan 01": {"r1d": "5"}}),
        response({"Jan 01": {"r1d": True}}),
        response({"Jan 03": {}}),
        response({"Week 1": {}}),
        response({"": {}}),
        response({"Jan 32": {}}),
        response({"Jan 01": {"r1d": 1}, "2026-01-01": {"r1d": 2}}),
    ],
    ids=str,
)
def test_another_response_is_an_unknown_shape(body: object) -> None:
    with pytest.raises(UnknownShapeError):
        revenue_rows(body, NEW_YEAR)


def test_an_ambiguous_date_is_an_unknown_shape() -> None:
    long = DaySpan(date(2025, 1, 1), date(2026, 1, 1))

    with pytest.raises(UnknownShapeError, match="'Jan 01', which matches 2 days of 2025-01-01 to 2026-01-01"):
        revenue_rows(response({"Jan 01": {}}), long)


@given(st.dates(date(2010, 1, 1), date(2040, 1, 1)), st.integers(1, 365))
@settings(max_examples=25, deadline=None)
def test_every_day_of_up_to_365_is_found_by_its_name(first: date, days: int) -> None:
    span = DaySpan(first, first + timedelta(days=days - 1))
    values = {f"{day:%b %d}": {"count": place} for place, day in enumerate(span)}

    assert revenue_rows(response(values), span) == [
        {"date": str(day), "values": {"count": place}} for place, day in enumerate(span)
    ]


@given(responses_with("series") | st.dictionaries(st.text(max_size=6), ANY_JSON, max_size=3).map(response))
@settings(max_examples=300)
def test_any_json_gives_rows_or_an_unknown_shape(body: object) -> None:
    rows: list[dict[str, Any]] = []
    try:
        rows = revenue_rows(body, NEW_YEAR)
    except UnknownShapeError as error:
        assert error.what.startswith("Amplitude's response has ")  # noqa: PT017 - either is fine

    assert all(row.keys() == {"date", "values"} for row in rows)
