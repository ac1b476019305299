"""Streams of figures by date: costs and the common budget."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from unit_tests.airbyte.streams.rest_host import dates, days
from unit_tests.tables.dashboard_figures import (
    ALL,
    BUDGET,
    BUDGET_SECONDS,
    USERS,
)

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Project


def most_in_any_window(project: Project) -> int:
    """Return the highest cost that was charged in any five minutes."""
    bookings = [(each.at, each.cost) for each in project.content.costs.bookings if "/taxonomy/" not in each.path]
    window = timedelta(seconds=BUDGET_SECONDS)
    return max(sum(cost for at, cost in bookings if start <= at < start + window) for start, _ in bookings)


def test_all_streams_share_one_budget_in_a_first_sync(project: Project) -> None:
    project.clock.advance(0)
    options = {
        "start_date": "2025-06-01T00:00:00Z",
        "composition_properties": ["country"],
        "chart_ids": [project.content.catalog.charts[0]["id"]],
    }

    read = project.sync(*ALL, "chart_results", "events_list", **options)

    assert set(read.statuses.values()) == {"COMPLETE"}
    assert {request.status for request in project.emulator.requests} == {200, 404}
    assert 900 < most_in_any_window(project) <= BUDGET
    assert sum(project.clock.sleeps) > BUDGET_SECONDS
    assert any("s for Amplitude's rate limit before requesting" in line for line in read.lines("INFO"))


def test_the_documented_costs_are_charged(project: Project) -> None:
    year = {"start_date": "2025-03-04T00:00:00Z", "composition_properties": ["country"]}
    costs = {}
    for name, changes in {
        "active_users": {},
        "new_users": {"active_users_group_by_country": False},
        "average_session_length": {},
        "average_sessions_per_user": {},
        "revenue_ltv": {},
    }.items():
        before = len(project.content.costs.bookings)
        project.sync(name, **{**year, **changes})
        costs[name] = sum(each.cost for each in project.content.costs.bookings[before:])
        project.content.costs.clear()

    assert costs == {
        "active_users": 1825,
        "new_users": 365,
        "average_session_length": 1460,
        "average_sessions_per_user": 1460,
        "revenue_ltv": 365,
    }


def test_spans_have_no_gap_and_no_day_twice(project: Project) -> None:
    read = project.sync("active_users", "average_sessions_per_user", start_date="2024-01-01T00:00:00Z")

    every_day = days("2024-01-01", "2026-03-03")
    assert dates(read.records["active_users"]) == every_day
    assert dates(read.records["average_sessions_per_user"]) == every_day


def test_sigterm_ends_the_wait_for_the_budget_and_keeps_records(project: Project) -> None:
    project.clock.on_advance = project.stop

    read = project.sync("active_users", "new_users", start_date="2024-01-01T00:00:00Z")
    project.clock.on_advance = lambda: None
    project.clock.advance(BUDGET_SECONDS)
    rest = project.sync("active_users", state=read.state(), start_date="2024-01-01T00:00:00Z")

    assert (read.failures["active_users"].error, read.statuses) == ("StoppedError", {"active_users": "INCOMPLETE"})
    assert project.clock.sleeps[0] <= 1
    assert 0 < len(read.records["active_users"]) < 200
    assert sorted({*dates(read.records["active_users"]), *dates(rest.records["active_users"])}) == days(
        "2024-01-01", "2026-03-03"
    )


def test_sigterm_ends_the_wait_for_a_retry(project: Project) -> None:
    project.emulator.faults.add("too_many_requests", path=USERS, retry_after_seconds=120)
    project.clock.on_advance = project.stop

    read = project.sync("active_users", "new_users")

    assert (read.failures["active_users"].error, read.statuses) == ("StoppedError", {"active_users": "INCOMPLETE"})
    assert project.clock.sleeps == [1.0]
