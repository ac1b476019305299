"""Streams of figures by date: which days are requested, and which are requested again."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from unit_tests.airbyte.streams.rest_host import Failure, dates, days
from unit_tests.tables.dashboard_figures import (
    ALL,
    DAILY,
    USERS,
    active,
    compact,
)

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Project, Row


def test_only_days_that_have_ended_are_read(project: Project) -> None:
    read = project.sync("active_users")

    assert read.records["active_users"] == active(project, *days("2026-02-27", "2026-03-03"))
    assert read.state() == {"active_users": {"date": "2026-03-03"}}
    assert project.days_asked(USERS) == compact("2026-02-27/2026-03-03")


@pytest.mark.parametrize(
    ("now", "zone", "newest"),
    [
        ("2026-03-04T11:59:59", None, "2026-03-02"),
        ("2026-03-04T12:00:00", None, "2026-03-03"),
        ("2026-03-04T15:00:00", "Asia/Tokyo", "2026-03-04"),
        ("2026-03-04T14:59:59", "Asia/Tokyo", "2026-03-03"),
        ("2026-03-04T04:59:59", "America/New_York", "2026-03-02"),
        ("2026-03-04T05:00:00", "America/New_York", "2026-03-03"),
        ("2026-03-04T00:00:00", "UTC", "2026-03-03"),
    ],
)
def test_a_day_ends_in_the_project_s_time_zone_or_everywhere(
    project: Project, now: str, zone: str | None, newest: str
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=timezone.utc)
    project.clock.set(moment)
    project.emulator.clock.set(moment)

    read = project.sync("active_users", "session_length_distribution", **({"project_time_zone": zone} if zone else {}))

    assert dates(read.records["active_users"])[-1] == newest
    assert dates(read.records["session_length_distribution"])[-1] == newest


def test_weeks_and_months_begin_with_that_of_the_start_date(project: Project) -> None:
    read = project.sync("weekly_active_users", "monthly_active_users", start_date="2025-12-17T00:00:00Z")

    assert dates(read.records["weekly_active_users"]) == [
        str(date(2025, 12, 15) + timedelta(weeks=n)) for n in range(11)
    ]
    assert dates(read.records["monthly_active_users"]) == ["2025-12-01", "2026-01-01", "2026-02-01"]
    assert read.state() == {
        "weekly_active_users": {"date": "2026-03-01"},
        "monthly_active_users": {"date": "2026-02-28"},
    }


def test_weeks_and_months_are_read_as_soon_as_they_end(project: Project) -> None:
    first = project.sync("weekly_active_users", "monthly_active_users")
    project.clock.advance(28 * 86_400)

    second = project.sync("weekly_active_users", "monthly_active_users", state=first.state())

    assert dates(first.records["weekly_active_users"]) == ["2026-02-23"]
    assert dates(second.records["weekly_active_users"]) == [
        "2026-02-23",
        "2026-03-02",
        "2026-03-09",
        "2026-03-16",
        "2026-03-23",
    ]
    assert dates(second.records["monthly_active_users"]) == ["2026-02-01", "2026-03-01"]


def test_the_end_date_is_excluded_and_only_whole_days_are_read(project: Project) -> None:
    read = project.sync("active_users", end_date="2026-03-02T18:00:00Z")
    ahead = project.sync("active_users", end_date="2026-04-01T00:00:00Z")
    nothing = project.sync("active_users", end_date="2026-02-27T12:00:00Z")

    assert dates(read.records["active_users"]) == days("2026-02-27", "2026-03-01")
    assert dates(ahead.records["active_users"]) == days("2026-02-27", "2026-03-03")
    assert (nothing.records, nothing.statuses) == ({}, {"active_users": "COMPLETE"})


def test_a_future_start_date_reads_nothing_and_completes(project: Project) -> None:
    read = project.sync(*ALL, start_date="2027-01-01T00:00:00Z", composition_properties=["country"])

    assert (read.records, read.statuses) == ({}, dict.fromkeys(ALL, "COMPLETE"))
    assert project.asked() == []


# States


@pytest.mark.parametrize("saved", ["2026-03-02", "2026-03-02T00:00:00", "2026-03-02T00:00:00.000000+0000"])
def test_upstream_s_state_is_continued(project: Project, saved: str) -> None:
    read = project.sync("active_users", "average_session_length", state={name: {"date": saved} for name in DAILY})

    assert dates(read.records["active_users"]) == days("2026-02-28", "2026-03-03")
    assert len(read.records["average_session_length"]) == 4
    assert read.state()["active_users"] == {"date": "2026-03-03"}


def test_an_old_state_of_upstream_is_continued(project: Project) -> None:
    state = {"active_users": {"date": "2023-02-17"}}

    read = project.sync("active_users", start_date="2020-01-01T00:00:00Z", state=state)

    assert dates(read.records["active_users"]) == days("2023-02-15", "2026-03-03")


def test_upstream_s_state_of_today_leaves_no_gap(project: Project) -> None:
    today = project.sync("active_users", state={"active_users": {"date": "2026-03-04"}})
    project.clock.advance(86_400)

    tomorrow = project.sync("active_users", state=today.state())

    assert dates(today.records["active_users"]) == days("2026-03-02", "2026-03-03")
    assert dates(tomorrow.records["active_users"]) == days("2026-03-02", "2026-03-04")


@pytest.mark.parametrize("empty", [{}, {"date": None}, {"date": ""}])
def test_an_empty_state_begins_at_the_start_date(project: Project, empty: Row) -> None:
    read = project.sync("active_users", state={"active_users": empty})

    assert dates(read.records["active_users"]) == days("2026-02-27", "2026-03-03")
    assert read.state() == {"active_users": {"date": "2026-03-03"}}


@pytest.mark.parametrize(
    "garbage",
    ["yesterday", "2026-13-45", 17, {"a": 1}, ["2026-03-01"], "03/01/2026", "20260301", "0001-01-01", "1969-12-31"],
)
def test_an_unknown_state_fails_its_stream_only(project: Project, garbage: object) -> None:
    read = project.sync("active_users", "new_users", state={"active_users": {"date": garbage}})

    assert read.statuses == {"active_users": "INCOMPLETE", "new_users": "COMPLETE"}
    failure = read.failures["active_users"]
    assert (failure.error, failure.failure_type) == ("InvalidStateError", "config_error")
    assert failure.message.startswith("The saved state of active_users has the date ")
    assert project.days_asked(USERS) == compact("2026-02-27/2026-03-03")


@pytest.mark.parametrize(
    ("state", "key"),
    [
        ({"server_upload_time": "20260304T08"}, "server_upload_time"),
        ({"ledger": {"version": 1}}, "ledger"),
        ({"computed_at": "2026-03-01T00:00:00+00:00", "cohorts": {}}, "computed_at"),
    ],
)
def test_a_state_of_another_stream_is_refused(project: Project, state: Row, key: str) -> None:
    read = project.sync("active_users", "new_users", state={"active_users": state})

    assert read.statuses == {"active_users": "INCOMPLETE", "new_users": "COMPLETE"}
    failure = read.failures["active_users"]
    assert (failure.error, failure.failure_type) == ("InvalidStateError", "config_error")
    assert failure.message.startswith(
        f"The saved state of active_users belongs to another stream: it has {key} instead of date. Nothing was read."
    )


@pytest.mark.parametrize("now", ["2199-12-31T23:00:00", "1970-01-01T05:00:00"])
def test_a_far_server_date_is_handled(project: Project, now: str) -> None:
    project.emulator.clock.set(datetime.fromisoformat(now).replace(tzinfo=timezone.utc))

    read = project.sync("active_users", "weekly_active_users", "monthly_active_users")

    assert set(read.statuses.values()) <= {"COMPLETE", "INCOMPLETE"}


def test_a_future_state_is_set_back(project: Project) -> None:
    first = project.sync("active_users", state={"active_users": {"date": "2099-01-01"}})
    project.clock.advance(10 * 86_400)

    second = project.sync("active_users", state=first.state())

    assert first.statuses == {"active_users": "COMPLETE"}
    assert first.state() == {"active_users": {"date": "2026-03-03"}}
    assert dates(second.records["active_users"]) == days("2026-03-01", "2026-03-13")
    assert first.lines("WARN") == [
        "active_users: the saved state has the date 2099-01-01, which has not ended yet; it is set back to 2026-03-03."
    ]


def test_only_a_later_start_date_changes_the_first_day(project: Project) -> None:
    first = project.sync("active_users")

    forward = project.sync("active_users", state=first.state(), start_date="2026-03-03T00:00:00Z")
    back = project.sync("active_users", state=first.state(), start_date="2026-01-01T00:00:00Z")

    assert dates(forward.records["active_users"]) == ["2026-03-03"]
    assert dates(back.records["active_users"]) == days("2026-03-01", "2026-03-03")


def test_an_earlier_end_date_keeps_the_state(project: Project) -> None:
    first = project.sync("active_users")

    second = project.sync("active_users", state=first.state(), end_date="2026-02-28T00:00:00Z")

    assert (second.records, second.state(), second.lines("WARN")) == ({}, first.state(), [])


# Lookback


@pytest.mark.parametrize("lookback", [1, 3, 5])
def test_each_sync_reads_exactly_the_last_days_again(project: Project, lookback: int) -> None:
    options = {"dashboard_lookback_days": lookback, "start_date": "2026-02-01T00:00:00Z"}
    first = project.sync("active_users", **options)
    second = project.sync("active_users", state=first.state(), **options)
    project.clock.advance(2 * 86_400)
    third = project.sync("active_users", state=second.state(), **options)

    last = date(2026, 3, 3)
    again = days(str(last - timedelta(days=lookback - 1)), str(last))
    assert dates(second.records["active_users"]) == again
    assert dates(third.records["active_users"]) == [*again, "2026-03-04", "2026-03-05"]
    assert [sync.state()["active_users"]["date"] for sync in (first, second, third)] == [
        "2026-03-03",
        "2026-03-03",
        "2026-03-05",
    ]


def test_late_changes_of_figures_are_read(project: Project) -> None:
    first = project.sync("active_users", "weekly_active_users")
    late = {"2026-02-28": 1_000, "2026-03-01": 2_000}
    project.set(late_activity=late)

    second = project.sync("active_users", "weekly_active_users", state=first.state())

    assert second.records["active_users"] == active(project, *days("2026-03-01", "2026-03-03"))
    assert second.records["active_users"][0]["statistics"]["Japan"] > 2_000
    weeks = [sync.records["weekly_active_users"][0]["statistics"]["Japan"] for sync in (first, second)]
    assert weeks[1] - weeks[0] == 3_000


def test_the_last_180_days_of_revenue_are_read_again(project: Project) -> None:
    options = {"start_date": "2025-09-01T00:00:00Z"}
    first = project.sync("revenue_ltv", **options)
    project.clock.advance(86_400)

    second = project.sync("revenue_ltv", state=first.state(), **options)

    assert dates(first.records["revenue_ltv"]) == days("2025-09-01", "2026-03-03")
    assert dates(second.records["revenue_ltv"]) == days("2025-09-05", "2026-03-04")


def test_a_long_history_of_revenue_has_every_date_once(project: Project) -> None:
    read = project.sync("revenue_ltv", start_date="2024-01-01T00:00:00Z")

    assert read.failures == {}
    assert dates(read.records["revenue_ltv"]) == days("2024-01-01", "2026-03-03")


def test_an_interrupted_day_is_read_again(project: Project) -> None:
    project.emulator.faults.add("prepare", seconds=0, path="/sessions/length", times=2)
    project.emulator.faults.add("server_error", path="/sessions/length")
    broken = project.sync("session_length_distribution")
    project.emulator.faults.clear()

    complete = project.sync("session_length_distribution", state=broken.state(), dashboard_lookback_days=1)

    assert dates(broken.records["session_length_distribution"]) == days("2026-02-27", "2026-02-28")
    assert broken.state() == {"session_length_distribution": {"date": "2026-02-28"}}
    assert dates(complete.records["session_length_distribution"]) == days("2026-02-28", "2026-03-03")


def test_an_interrupted_lookback_keeps_the_state(project: Project) -> None:
    first = project.sync("session_length_distribution")
    project.emulator.faults.add("prepare", seconds=0, path="/sessions/length", times=1)
    project.emulator.faults.add("server_error", path="/sessions/length")

    broken = project.sync("session_length_distribution", state=first.state())

    assert dates(broken.records["session_length_distribution"]) == ["2026-03-01"]
    assert broken.state() == first.state()


def test_a_resumed_full_refresh_reads_only_the_rest(project: Project) -> None:
    whole = project.sync("active_users", mode="full_refresh")
    resumed = project.sync("active_users", state={"active_users": {"date": "2026-03-01"}}, mode="full_refresh")

    assert dates(whole.records["active_users"]) == days("2026-02-27", "2026-03-03")
    assert dates(resumed.records["active_users"]) == ["2026-03-02", "2026-03-03"]
    resumes = (
        "The full refresh of active_users continues from a saved state and does not emit earlier records again. "
        "Clear the stream's state to read everything."
    )
    assert (whole.lines("WARN"), resumed.lines("WARN")) == ([], [resumes])
    assert [sync.statuses for sync in (whole, resumed)] == [{"active_users": "COMPLETE"}] * 2


# Options and refusals


def test_without_countries_the_total_is_the_only_label(project: Project) -> None:
    read = project.sync("active_users", "weekly_active_users", active_users_group_by_country=False)

    assert [list(each["statistics"]) for each in read.records["active_users"]] == [["0"]] * 5
    assert [list(each["statistics"]) for each in read.records["weekly_active_users"]] == [["0"]]
    assert [dict(request.query) for request in project.asked(USERS)] == [
        {"start": "20260227", "end": "20260303", "m": "active", "i": "1"},
        {"start": "20260223", "end": "20260301", "m": "active", "i": "7"},
    ]


def test_a_project_without_countries_gets_amplitude_s_error(project: Project) -> None:
    project.emulator.faults.add(
        "bad_request",
        path=USERS,
        details="Invalid user property country",
        message="Invalid chart definition",
        type="invalid",
    )

    read = project.sync("active_users", "average_session_length")

    assert read.statuses == {"active_users": "INCOMPLETE", "average_session_length": "COMPLETE"}
    assert read.failures == {
        "active_users": Failure(
            "RequestRejectedError",
            "config_error",
            "Amplitude rejected the request for active_users of 2026-02-27 to 2026-03-03 (HTTP 400: Invalid chart "
            "definition - Invalid user property country). Change the setting that Amplitude's reason is about (for a "
            "project without countries, turn off active_users_group_by_country), or deselect the stream. The other "
            "streams are not affected.",
        )
    }


def test_an_unknown_property_is_reported_by_name(project: Project) -> None:
    read = project.sync("user_composition", composition_properties=["country", "plan"])

    assert "Invalid user property plan" in read.failures["user_composition"].message
    assert "date" not in read.state().get("user_composition", {})


def test_each_property_is_requested_day_by_day(project: Project) -> None:
    project.sync("user_composition", start_date="2026-03-02T00:00:00Z", composition_properties=["gp:a b&c", "city"])

    asked = [(request.query["start"], request.query["end"], request.query["p"]) for request in project.asked()]
    assert asked == [
        ("20260302", "20260302", "gp:a b&c"),
        ("20260302", "20260302", "city"),
        ("20260303", "20260303", "gp:a b&c"),
        ("20260303", "20260303", "city"),
    ]
