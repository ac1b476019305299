from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.dashboards import Matrix, by_bin, composition
from source_amplitude.rows.days import DaySpan
from unit_tests.rows.json_values import responses_with

SPAN = DaySpan(date(2026, 3, 1), date(2026, 3, 2))
DATES = ["2026-03-01", "2026-03-02"]


def body(**data: object) -> dict[str, object]:
    """Return a response with ``data`` and undocumented metadata."""
    return {"data": data, "timeComputed": 1781000000000, "wasCached": False, "novaCost": 2}


def matrix(**changes: object) -> dict[str, object]:
    """Return the recorded response for two countries on two days, with changes."""
    data: dict[str, object] = {
        "xValues": DATES,
        "series": [[3, 4], [5, 6]],
        "seriesLabels": ["Denmark", "(none)"],
        "seriesMeta": [{"segmentIndex": 0}, {"segmentIndex": 1}],
        "seriesCollapsed": [[{"setId": "", "value": 7}], [{"setId": "", "value": 11}]],
    }
    return body(**data | changes)


def without(name: str) -> dict[str, object]:
    response = matrix()
    data = response["data"]
    assert isinstance(data, dict)
    return {**response, "data": {key: value for key, value in data.items() if key != name}}


# by_label: active and new users.


def test_each_date_has_the_value_of_each_label() -> None:
    assert Matrix.of(matrix()).by_label() == [
        {"date": "2026-03-01", "statistics": {"Denmark": 3, "(none)": 5}},
        {"date": "2026-03-02", "statistics": {"Denmark": 4, "(none)": 6}},
    ]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([0, 1], ["0", "1"]),
        ([[0, "Denmark"], [0, "(none)"]], ["Denmark", "(none)"]),
        (["", None], ["", "null"]),
        (["blue", "blue"], ["blue", "blue (2)"]),
        ([[0, "blue"], [1, "blue"]], ["blue", "blue (2)"]),
        (["1", 1], ["1", "1 (2)"]),
    ],
)
def test_labels_of_every_form_are_unique_names_of_their_series(labels: list[object], names: list[str]) -> None:
    first, second = names

    assert Matrix.of(matrix(seriesLabels=labels)).by_label() == [
        {"date": "2026-03-01", "statistics": {first: 3, second: 5}},
        {"date": "2026-03-02", "statistics": {first: 4, second: 6}},
    ]


def test_dates_may_come_with_a_time() -> None:
    response = matrix(xValues=["2026-03-01T00:00:00", "2026-03-02T00:00:00"])

    assert Matrix.of(response).by_label() == Matrix.of(matrix()).by_label()


def test_values_may_come_as_objects_and_may_be_null() -> None:
    response = matrix(series=[[{"setId": "", "value": 3}, None], [{"setId": "", "value": None}, 6.5]])

    assert Matrix.of(response).by_label() == [
        {"date": "2026-03-01", "statistics": {"Denmark": 3, "(none)": None}},
        {"date": "2026-03-02", "statistics": {"Denmark": None, "(none)": 6.5}},
    ]


def test_labels_are_read_from_the_documented_field() -> None:
    documented = body(series=[[3, 4], [5, 6]], seriesMeta=["United States", "Canada"], xValues=DATES)

    assert Matrix.of(documented).by_label() == [
        {"date": "2026-03-01", "statistics": {"United States": 3, "Canada": 5}},
        {"date": "2026-03-02", "statistics": {"United States": 4, "Canada": 6}},
    ]


def test_one_series_without_any_label_is_the_label_0() -> None:
    assert Matrix.of(body(xValues=DATES, series=[[3, 4]])).by_label() == [
        {"date": "2026-03-01", "statistics": {"0": 3}},
        {"date": "2026-03-02", "statistics": {"0": 4}},
    ]


@pytest.mark.parametrize(
    "response",
    [
        matrix(series=[], seriesLabels=[], seriesMeta=[], seriesCollapsed=[]),
        matrix(series=None),
        matrix(series=[], seriesLabels=["Denmark", "(none)"]),
        matrix(series=[[], []]),
        matrix(series=None, seriesLabels=None, xValues=None),
        body(series=[], xValues=[]),
    ],
    ids=["recorded", "null series", "labels without series", "empty series", "all null", "all empty"],
)
def test_without_series_there_are_no_rows(response: object) -> None:
    assert Matrix.of(response).by_label() == []
    assert Matrix.of(body(xValues=DATES, series=None)).one_value("length") == []
    assert Matrix.of(body(xValues=DATES, series=[])).one_value("length") == []
    assert Matrix.of(body(xValues=DATES, series=[[]])).one_value("length") == []


def test_a_short_series_lacks_its_last_dates() -> None:
    assert Matrix.of(matrix(series=[[3], [5, 6]])).by_label() == [
        {"date": "2026-03-01", "statistics": {"Denmark": 3, "(none)": 5}},
        {"date": "2026-03-02", "statistics": {"(none)": 6}},
    ]


@pytest.mark.parametrize(
    ("series", "day"),
    [
        ([], None),
        (None, None),
        ([[3, 4], [5, 6]], None),
        ([[3, None], [5, 6]], None),
        ([[3], [5, 6]], "2026-03-02"),
        ([[3, 4], []], "2026-03-01"),
        ([[], []], "2026-03-01"),
    ],
)
def test_the_first_truncated_day_is_returned(series: object, day: str | None) -> None:
    assert Matrix.of(matrix(series=series)).first_cut_day() == day


@pytest.mark.parametrize(
    "response",
    [
        None,
        [],
        "x",
        {},
        {"data": None},
        {"data": []},
        {"data": {}},
        without("series"),
        without("xValues"),
        matrix(series={}),
        matrix(series=[3, 4]),
        matrix(series=[None, None]),
        matrix(series=[["3", "4"], [5, 6]]),
        matrix(series=[[True, 4], [5, 6]]),
        matrix(series=[[3, 4, 5], [5, 6]]),
        matrix(series=[[3, 4]]),
        matrix(seriesLabels=["Denmark"]),
        matrix(seriesLabels=None),
        matrix(seriesLabels=[["Denmark"], []]),
        matrix(seriesLabels=[{"name": "Denmark"}, "x"]),
        matrix(xValues=["2026-03-01", "Mar 2"]),
        matrix(xValues=["2026-03-01", 20260302]),
        matrix(xValues=["2026-03-01", None]),
        matrix(xValues="2026-03-01"),
        without("seriesLabels"),
    ],
    ids=lambda response: str(response)[:60],
)
def test_another_matrix_is_an_unknown_shape(response: object) -> None:
    with pytest.raises(UnknownShapeError):
        Matrix.of(response).by_label()


# one_value: sessions.


def test_averages_are_one_value_for_each_date() -> None:
    recorded = body(
        xValues=["2026-03-01T00:00:00", "2026-03-02T00:00:00"],
        series=[[0, 238.125]],
        seriesMeta=[{"segmentIndex": 0, "sessionIndex": 0}],
        seriesCollapsed=[[{"setId": "", "value": 0}]],
    )

    assert Matrix.of(recorded).one_value("length") == [
        {"date": "2026-03-01", "length": 0},
        {"date": "2026-03-02", "length": 238.125},
    ]


def test_averages_may_be_objects_in_a_short_series() -> None:
    response = body(xValues=DATES, series=[[{"setId": "", "value": 1.5}]])

    assert Matrix.of(response).one_value("sessions") == [{"date": "2026-03-01", "sessions": 1.5}]


@pytest.mark.parametrize(
    "response",
    [matrix(), {"data": {}}, body(xValues=DATES, series=[["1", 2]]), body(xValues=[], series=[[1]])],
    ids=["two series", "nothing", "texts", "more values than dates"],
)
def test_another_average_is_an_unknown_shape(response: object) -> None:
    with pytest.raises(UnknownShapeError):
        Matrix.of(response).one_value("length")


# by_bin and composition: histograms.


def test_a_histogram_has_a_count_for_each_bin() -> None:
    response = body(xValues=["0s-60s", "60s-180s"], series=[[7, 0]], seriesMeta=[{"segmentIndex": 0}])

    assert by_bin(response, SPAN) == [{"date": "2026-03-01", "statistics": {"0s-60s": 7, "60s-180s": 0}}]


def test_a_composition_has_the_users_of_each_value() -> None:
    response = body(xValues=["(none)", "premium", None, 1, "1"], series=[[1, 2, 3, 4, 5]], seriesLabels=["gp:plan"])

    assert composition(response, SPAN, "gp:plan") == [
        {
            "date": "2026-03-01",
            "property": "gp:plan",
            "statistics": {"(none)": 1, "premium": 2, "null": 3, "1": 4, "1 (2)": 5},
        }
    ]


@pytest.mark.parametrize(
    "response",
    [
        {**body(xValues=[], series=[], seriesLabels=[]), "withSets": False},
        body(xValues=None, series=None),
        body(xValues=["0s-60s"], series=[[]]),
        body(xValues=["0s-60s"], series=[]),
    ],
    ids=["recorded", "null", "empty series", "no series"],
)
def test_without_counts_there_is_no_row(response: object) -> None:
    assert by_bin(response, SPAN) == []
    assert composition(response, SPAN, "platform") == []


@pytest.mark.parametrize(
    "response",
    [
        None,
        {"data": {}},
        body(xValues=["a"]),
        body(series=[[1]]),
        body(xValues=["a"], series=[[1], [2]]),
        body(xValues=["a"], series=[[1, 2]]),
        body(xValues=["a", "b"], series=[[1]]),
        body(xValues=["a"], series=[["1"]]),
        body(xValues=[{"from": 0}], series=[[1]]),
        body(xValues=["a"], series=[1]),
    ],
    ids=str,
)
def test_another_histogram_is_an_unknown_shape(response: object) -> None:
    with pytest.raises(UnknownShapeError):
        by_bin(response, SPAN)
    with pytest.raises(UnknownShapeError):
        composition(response, SPAN, "platform")


@given(responses_with("xValues", "series", "seriesLabels", "seriesMeta"))
@settings(max_examples=400)
def test_any_json_gives_rows_or_an_unknown_shape(response: object) -> None:
    for read in (
        lambda: Matrix.of(response).by_label(),
        lambda: Matrix.of(response).one_value("length"),
        lambda: by_bin(response, SPAN),
        lambda: composition(response, SPAN, "platform"),
        lambda: [{"date": Matrix.of(response).first_cut_day()}],
    ):
        rows: list[dict[str, Any]] = []
        try:
            rows = read()
        except UnknownShapeError as error:
            assert error.what.startswith("Amplitude's response has ")  # noqa: PT017 - either is fine
        assert all("date" in row for row in rows)


@given(st.data())
def test_every_number_of_a_complete_matrix_is_in_the_rows_once(data: st.DataObject) -> None:
    dates = data.draw(st.lists(st.dates(date(2020, 1, 1)), min_size=1, max_size=4, unique=True))
    labels = data.draw(st.lists(st.sampled_from(["a", "a (2)", "b", ""]), min_size=1, max_size=4))
    numbers = st.lists(st.integers(0, 99), min_size=len(dates), max_size=len(dates))
    series = data.draw(st.lists(numbers, min_size=len(labels), max_size=len(labels)))

    rows = Matrix.of(body(xValues=list(map(str, dates)), series=series, seriesLabels=labels)).by_label()

    assert [row["date"] for row in rows] == list(map(str, dates))
    assert [list(row["statistics"].values()) for row in rows] == [list(each) for each in zip(*series, strict=True)]
