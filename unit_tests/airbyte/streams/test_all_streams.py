"""All streams together: golden records, schemas, plans, keys, and the requests of check and discover."""

from __future__ import annotations

import logging

import jsonschema
import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from amplitude_emulator import Emulator
from unit_tests.airbyte.streams import golden_records
from unit_tests.airbyte.streams.golden_records import everything, golden, read_everything, stream_names
from unit_tests.airbyte.streams.rest_host import Project
from unit_tests.conftest import NOON, fill

NEEDS_AN_OPTION = {
    "cohort_members": "cohort_ids",
    "user_composition": "composition_properties",
    "chart_results": "chart_ids",
}
STREAMS_OF_API = {
    "dashboards": {
        "active_users",
        "new_users",
        "weekly_active_users",
        "monthly_active_users",
        "average_session_length",
        "average_sessions_per_user",
        "session_length_distribution",
        "user_composition",
        "revenue_ltv",
        "events_list",
        "chart_results",
    },
    "cohorts": {"cohorts", "cohort_members"},
    "annotations": {"annotations", "annotation_categories"},
    "lookup_tables": {"lookup_tables"},
    "deletions": {"deletion_jobs"},
}


def test_every_record_equals_the_golden_record(project: Project) -> None:
    read = read_everything(project)

    names = stream_names(project)
    assert read.records == {name: golden(name) for name in names}
    assert read.statuses == dict.fromkeys(names, "COMPLETE")
    assert sorted(path.stem for path in golden_records.FOLDER.iterdir()) == sorted(names)


def test_golden_records_match_schema_and_have_unique_keys(project: Project) -> None:
    for stream in project.source.streams(project.config())[1:]:
        schema, records = dict(stream.get_json_schema()), golden(stream.name)
        for record in records:
            jsonschema.validate(record, schema)
        key = stream.as_airbyte_stream().source_defined_primary_key
        assert key
        values = [tuple(record[path[0]] for path in key) for record in records]
        assert len(set(values)) == len(values) > 0
        assert {name for record in records for name in record} <= set(schema["properties"])


def test_all_streams_complete_with_the_default_configuration(
    project: Project,
) -> None:
    fill(project.emulator, 0, 2, events_per_hour=3)
    names = ["events", *stream_names(project)]

    read = project.sync(*names)

    assert read.statuses == dict.fromkeys(names, "COMPLETE")
    assert set(names) - set(read.records) == set(NEEDS_AN_OPTION)
    assert [line for name in NEEDS_AN_OPTION for line in read.lines("INFO", name)] == [
        f"{name}: {option} is empty, so there is nothing to read." for name, option in NEEDS_AN_OPTION.items()
    ]
    assert read.lines("WARN") + read.lines("ERROR") == []


def test_a_second_sync_of_all_streams_completes(project: Project) -> None:
    names = stream_names(project)
    first = read_everything(project)

    second = project.sync(*names, state=first.state(), **everything(project))

    assert second.statuses == dict.fromkeys(names, "COMPLETE")
    assert second.state() == first.state()


@pytest.mark.parametrize("refusal", ["forbidden", "not_found", "invalid"])
@pytest.mark.parametrize("api", STREAMS_OF_API)
def test_only_streams_missing_from_the_plan_fail(project: Project, api: str, refusal: str) -> None:
    options = everything(project)
    project.set(missing_in_plan=(api,), plan_refusal=refusal)
    names = stream_names(project)

    read = project.sync(*names, **options)

    unavailable = STREAMS_OF_API[api]
    expected = {name: "INCOMPLETE" if name in unavailable else "COMPLETE" for name in names}
    reason = f"{api.replace('_', ' ').capitalize()} is not included in your current plan"
    assert read.statuses == expected
    assert set(read.failures) == unavailable
    assert {each.failure_type for each in read.failures.values()} == {"config_error"}
    assert [each for each in read.failures.values() if reason not in each.message] == []
    assert not unavailable & set(read.records)


def test_every_stream_reports_rejected_keys_for_both_regions(project: Project) -> None:
    names = ("cohorts", "active_users", "lookup_tables")

    wrong = project.sync(*names, secret_key="0" * 32)
    elsewhere = project.sync(*names, data_region="EU Residency Server")

    for sync in (wrong, elsewhere):
        assert sync.statuses == dict.fromkeys(names, "INCOMPLETE")
        kinds = {(each.error, each.failure_type) for each in sync.failures.values()}
        assert kinds == {("CredentialsRejectedError", "config_error")}
    refused = "The EU Residency Server rejects them too."
    accepted = "The Standard Server accepts them. Set data_region to 'Standard Server'."
    assert [name for name in names if refused not in wrong.failures[name].message] == []
    assert [name for name in names if accepted not in elsewhere.failures[name].message] == []
    assert [request.path for request in project.emulator.requests] == [
        "/us/api/2/export",
        "/eu/api/2/export",
        "/eu/api/2/export",
        "/us/api/2/export",
    ]


def test_an_eu_project_is_read_from_eu_hosts() -> None:
    with Emulator(now=NOON, region="eu") as emulator:
        project = Project(emulator)
        names = stream_names(project)

        read = project.sync(*names, data_region="EU Residency Server")

    assert read.statuses == dict.fromkeys(names, "COMPLETE")
    assert {request.path.split("/")[1] for request in project.asked()} == {"eu", "data-eu"}


def test_check_and_discover_use_no_quota(project: Project) -> None:
    config = project.config(**everything(project))

    project.source.check_connection(logging.getLogger("airbyte"), config)
    project.source.discover(logging.getLogger("airbyte"), config)

    assert (project.paths(), project.content.costs.bookings) == ([], [])
    assert len(project.emulator.requests) == 1


def test_check_rejects_wrong_keys(project: Project) -> None:
    with pytest.raises(AirbyteTracedException) as refused:
        project.source.check_connection(logging.getLogger("airbyte"), project.config(secret_key="0" * 32))

    assert refused.value.failure_type == FailureType.config_error


def test_a_failed_stream_does_not_affect_the_others(project: Project) -> None:
    project.emulator.faults.add("server_error", path="/api/2/sessions/average")

    read = project.sync("average_session_length", "active_users", "cohorts")

    assert read.statuses == {
        "average_session_length": "INCOMPLETE",
        "active_users": "COMPLETE",
        "cohorts": "COMPLETE",
    }
    failure = read.failures["average_session_length"]
    assert (failure.error, failure.failure_type) == ("ServerFailureError", "transient_error")


@pytest.mark.parametrize("fault", ["too_many_requests", "server_error", "html_page", "empty_body", "connection_reset"])
def test_a_temporary_fault_loses_no_record(project: Project, fault: str) -> None:
    options = everything(project)
    for path in ("/api/3/", "/api/2/users", "/api/2/sessions", "/api/2/composition", "/taxonomy/", "/deletions/"):
        project.emulator.faults.add(fault, path=path, times=1)

    names = stream_names(project)
    read = project.sync(*names, **options)

    assert read.records == {name: golden(name) for name in names}
