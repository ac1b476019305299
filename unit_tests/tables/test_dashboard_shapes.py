"""Streams of figures by date: known and unknown shapes of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.airbyte.streams.rest_host import dates, days
from unit_tests.tables.dashboard_figures import (
    ALL,
    USERS,
    X,
    active,
    matrix,
    response,
)

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Project, Row


def test_truncated_figures_give_no_record_and_are_read_again(project: Project) -> None:
    body = matrix([[1, 2], [3]], x=days("2026-02-27", "2026-03-03"))
    project.emulator.faults.add("json", path=USERS, body=body, times=1)

    cut = project.sync("active_users")
    complete = project.sync("active_users", state=cut.state(), dashboard_lookback_days=1)

    assert cut.records["active_users"] == [{"date": "2026-02-27", "statistics": {"US": 1, "DK": 3}}]
    assert cut.state() == {"active_users": {"date": "2026-02-27"}}
    assert cut.lines("WARN") == [
        "active_users: Amplitude's figures from 2026-02-28 on are incomplete; the next sync reads them again."
    ]
    assert complete.records["active_users"] == active(project, *days("2026-02-27", "2026-03-03"))


def test_truncated_figures_hold_the_state_before_later_spans(project: Project) -> None:
    options = {"start_date": "2025-10-01T00:00:00Z"}
    body = matrix([[1, 2]], ("US",), days("2025-10-01", "2025-10-03"))
    project.emulator.faults.add("json", path=USERS, body=body, times=1)

    cut = project.sync("active_users", **options)
    complete = project.sync("active_users", state=cut.state(), **options)

    assert dates(cut.records["active_users"]) == ["2025-10-01", "2025-10-02", *days("2025-12-30", "2026-03-03")]
    assert cut.state() == {"active_users": {"date": "2025-10-02"}}
    assert dates(complete.records["active_users"]) == days("2025-10-01", "2026-03-03")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("active_users", response(xValues=["2026-03-04"], series=[[1]], seriesLabels=["US"])),
        ("active_users", response(xValues=["2026-02-26"], series=[[1]], seriesLabels=["US"])),
        ("weekly_active_users", response(xValues=["2026-03-01"], series=[[1]], seriesLabels=["US"])),
        ("monthly_active_users", response(xValues=["2026-02-28"], series=[[1]], seriesLabels=["US"])),
        ("revenue_ltv", response(series=[{"values": {"Mar 04": {"r1d": 1}}}])),
    ],
)
def test_a_date_that_was_not_requested_is_an_error(project: Project, name: str, body: object) -> None:
    project.emulator.faults.add("json", body=body, path="/api/2/revenue" if name == "revenue_ltv" else USERS)

    read = project.sync(name)

    assert (read.records, read.failures[name].error) == ({}, "UnknownShapeError")


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (matrix([], ()), []),
        (matrix(None, None), []),
        (matrix([], (), []), []),
        (matrix([[], []]), []),
        (matrix([[0, 0], [0, 0]]), [("2026-02-27", {"US": 0, "DK": 0}), ("2026-02-28", {"US": 0, "DK": 0})]),
        (matrix([[1], [2, 3]]), [("2026-02-27", {"US": 1, "DK": 2})]),
        (matrix([[1, None], [2, 3]]), [("2026-02-27", {"US": 1, "DK": 2}), ("2026-02-28", {"US": None, "DK": 3})]),
        (
            matrix([[{"setId": "", "value": 1}, 2]], ([0, "US"],)),
            [("2026-02-27", {"US": 1}), ("2026-02-28", {"US": 2})],
        ),
        (matrix([[1]], (0,), ["2026-02-27T00:00:00"]), [("2026-02-27", {"0": 1})]),
    ],
)
def test_known_shapes_give_their_values(project: Project, body: object, records: list[tuple[str, Row]]) -> None:
    project.emulator.faults.add("json", path=USERS, body=body)

    read = project.sync("active_users")

    assert read.failures == {}
    assert read.records.get("active_users", []) == [{"date": day, "statistics": found} for day, found in records]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "text",
        {"data": None},
        {"data": []},
        response(xValues=X),
        response(series=[], seriesLabels=[]),
        matrix([[1, 2]]),
        matrix([[1, 2, 3], [1, 2]]),
        matrix([["1", 2], [3, 4]]),
        matrix([[True, 2], [3, 4]]),
        matrix([1, 2]),
        matrix({"US": [1]}),
        matrix([[1, 2], [3, 4]], x=["Feb 27", "Feb 28"]),
        matrix([[1, 2], [3, 4]], x="2026-02-27"),
        matrix([[{"count": 1}, 2], [3, 4]]),
    ],
)
def test_unknown_shapes_are_an_error(project: Project, body: object) -> None:
    project.emulator.faults.add("json", path=USERS, body=body)

    read = project.sync("active_users")

    assert (read.records, read.statuses) == ({}, {"active_users": "INCOMPLETE"})
    assert (read.failures["active_users"].error, read.failures["active_users"].failure_type) == (
        "UnknownShapeError",
        "system_error",
    )
    assert "date" not in read.state().get("active_users", {})


@pytest.mark.parametrize("name", ["average_session_length", "session_length_distribution", "revenue_ltv"])
@pytest.mark.parametrize(
    "body", [{}, [], {"data": {}}, {"data": {"xValues": X}}, {"data": {"series": 7, "xValues": X}}]
)
def test_an_unknown_shape_is_an_error_in_other_streams_too(project: Project, name: str, body: object) -> None:
    project.emulator.faults.add("json", path="/api/2/sessions", body=body)
    project.emulator.faults.add("json", path="/api/2/revenue", body=body)

    read = project.sync(name)

    assert (read.records, read.failures[name].error) == ({}, "UnknownShapeError")


def test_session_lengths_have_any_known_form_of_value_and_date(project: Project) -> None:
    body = response(xValues=["2026-02-27T00:00:00", "2026-02-28"], series=[[{"setId": "", "value": 1.5}, 2]])
    project.emulator.faults.add("json", path="/sessions/average", body=body)

    read = project.sync("average_session_length")

    assert read.records["average_session_length"] == [
        {"date": "2026-02-27T00:00:00+00:00", "length": 1.5},
        {"date": "2026-02-28T00:00:00+00:00", "length": 2},
    ]


def test_days_before_the_first_activity_may_have_no_records(project: Project) -> None:
    project.set(first_day="2026-03-02")

    read = project.sync(*ALL, composition_properties=["country"], start_date="2026-02-28T00:00:00Z")

    assert read.failures == {}
    assert dates(read.records["session_length_distribution"]) == days("2026-03-02", "2026-03-03")
    assert dates(read.records["user_composition"]) == days("2026-03-02", "2026-03-03")
    assert dates(read.records["active_users"]) == days("2026-02-28", "2026-03-03")


def test_a_passing_429_or_500_is_only_a_wait(project: Project) -> None:
    project.emulator.faults.add("too_many_requests", path=USERS, times=1)
    project.emulator.faults.add("server_error", path="/sessions/average", times=1)

    read = project.sync("active_users", "average_session_length")

    assert read.statuses == {"active_users": "COMPLETE", "average_session_length": "COMPLETE"}
    assert read.records["active_users"] == active(project, *days("2026-02-27", "2026-03-03"))
    assert read.lines("WARN") == [
        f"{what} Next try in 0 s."
        for what in (
            "Rate limit reached for active_users of 2026-02-27 to 2026-03-03 (HTTP 429: Too Many Requests).",
            (
                "Amplitude server error for average_session_length of 2026-02-27 to 2026-03-03 (HTTP 500, text/html, "
                '"<html><head><title>500 error</title></head><body><h1>500 error</h1></body></html>").'
            ),
        )
    ]
