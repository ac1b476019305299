"""The users whose data Amplitude deletes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Project

PATH = "/api/2/deletions/users"


def spans(project: Project) -> list[tuple[str, str]]:
    return [(request.query["start_day"], request.query["end_day"]) for request in project.asked(PATH)]


def test_each_user_of_a_job_is_a_row_with_the_job_s_fields(project: Project) -> None:
    users = [{"amplitude_id": number, "requested_on_day": "2026-02-27", "requester": "a@b.c"} for number in (1, 2)]
    job = {"day": "2026-03-10", "status": "staging", "amplitude_ids": users, "app": "100200", "novel": 1}
    project.content.catalog = replace(project.content.catalog, deletions=(job, {**job, "amplitude_ids": []}))

    read = project.sync("deletion_jobs")

    shared = {"day": "2026-03-10", "status": "staging", "app": "100200", "novel": 1}
    assert read.records["deletion_jobs"] == [{**shared, **user} for user in users]


def test_jobs_are_read_in_adjacent_spans_to_a_month_ahead(project: Project) -> None:
    read = project.sync("deletion_jobs", start_date="2025-05-01T00:00:00Z")

    assert spans(project) == [
        ("2025-05-01", "2025-10-27"),
        ("2025-10-28", "2026-03-04"),
        ("2026-03-05", "2026-04-05"),
    ]
    assert [row["day"] for row in read.records["deletion_jobs"]] == ["2026-01-15", "2026-02-20", "2026-03-02"]


def test_requests_respect_amplitude_s_span_and_rate_limits(project: Project) -> None:
    read = project.sync("deletion_jobs", start_date="2016-01-01T00:00:00Z")

    assert read.statuses == {"deletion_jobs": "COMPLETE"}
    assert {request.status for request in project.asked(PATH)} == {200}
    assert len(spans(project)) > 20


def test_rejected_future_days_are_left_to_a_later_sync(project: Project) -> None:
    project.emulator.faults.add("prepare", seconds=0, path=PATH, times=1)
    project.emulator.faults.add("bad_request", path=PATH, details="end_day is in the future")

    read = project.sync("deletion_jobs")
    refused = project.sync("deletion_jobs")

    assert [row["day"] for row in read.records["deletion_jobs"]] == ["2026-03-02"]
    assert read.statuses == {"deletion_jobs": "COMPLETE"}
    what = "Amplitude rejected the request for deletion jobs of 2026-03-05 to 2026-04-05"
    reason = "(HTTP 400: end_day is in the future). Jobs of future days are left to a later sync."
    assert read.lines("WARN") == [f"{what} {reason}"]
    assert refused.failures["deletion_jobs"].error == "RequestRejectedError"


def test_every_sync_reads_all_jobs_again(project: Project) -> None:
    first = project.sync("deletion_jobs")
    jobs = project.content.catalog.deletions
    project.content.catalog = replace(project.content.catalog, deletions=({**jobs[-1], "status": "submitted"},))

    second = project.sync("deletion_jobs", state=first.state())

    assert [row["status"] for row in first.records["deletion_jobs"]] == ["staging"]
    assert second.records["deletion_jobs"] == [{**first.records["deletion_jobs"][0], "status": "submitted"}]


def test_a_plan_without_deletions_fails_with_amplitude_s_error(project: Project) -> None:
    project.set(missing_in_plan=("deletions",))

    read = project.sync("deletion_jobs", "cohorts")

    assert read.statuses == {"deletion_jobs": "INCOMPLETE", "cohorts": "COMPLETE"}
    failure = read.failures["deletion_jobs"]
    assert (failure.error, failure.failure_type) == ("NotInPlanError", "config_error")
    assert "(HTTP 403: Deletions is not included in your current plan)" in failure.message


@pytest.mark.parametrize("body", [{}, {"data": []}, [1], [{"day": "2026-03-02"}], [{"amplitude_ids": [7]}], None])
def test_a_response_of_an_unknown_shape_is_an_error(project: Project, body: object) -> None:
    project.emulator.faults.add("json", path=PATH, body=body)

    read = project.sync("deletion_jobs")

    assert read.failures["deletion_jobs"].error == "UnknownShapeError"
    assert read.records == {}
