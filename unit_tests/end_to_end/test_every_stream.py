"""All streams except events through the command line: records, their order, and state files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unit_tests.airbyte.streams.golden_records import everything, golden, stream_names
from unit_tests.airbyte.streams.rest_host import Project

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector, Run

START = "2026-02-27T00:00:00Z"


def by_stream(run: Run) -> dict[str, list[Any]]:
    records: dict[str, list[Any]] = {}
    for message in run.of_type("RECORD"):
        records.setdefault(message["record"]["stream"], []).append(message["record"]["data"])
    return records


def last_states(run: Run) -> dict[str, Any]:
    return {
        message["state"]["stream"]["stream_descriptor"]["name"]: message["state"] for message in run.of_type("STATE")
    }


def test_all_streams_print_golden_records_and_a_last_state(connector: Connector, emulator: Emulator) -> None:
    project = Project(emulator)
    project.set(cohort_pending_polls=0)
    names = tuple(stream_names(project))

    run = connector.read(streams=names, start_date=START, **everything(project))

    kinds_by_stream: dict[str, list[str]] = {}
    for message in run.messages:
        if message["type"] == "RECORD":
            kinds_by_stream.setdefault(message["record"]["stream"], []).append("RECORD")
        if message["type"] == "STATE":
            kinds_by_stream.setdefault(message["state"]["stream"]["stream_descriptor"]["name"], []).append("STATE")
    assert (run.exit_code, run.errors) == (0, [])
    assert by_stream(run) == {name: golden(name) for name in names}
    assert {name: kinds[-1] for name, kinds in kinds_by_stream.items() if name in last_states(run)} == dict.fromkeys(
        last_states(run), "STATE"
    )
    assert run.statuses.count("COMPLETE") == len(names)


def test_every_stream_follows_the_states_of_a_file(connector: Connector, emulator: Emulator) -> None:
    project = Project(emulator)
    project.set(cohort_pending_polls=0)
    names = ("cohort_members", "active_users", "monthly_active_users")
    options = {"cohort_ids": [project.content.cohorts.all()[0].cohort_id], "dashboard_lookback_days": 1}
    first = connector.read(streams=names, start_date=START, **options)  # type: ignore[arg-type] # the configuration's

    arguments = list(connector.reading({}, streams=names, start_date=START, **options))  # type: ignore[arg-type]
    connector.file("state.json", list(last_states(first).values()))
    second = connector.run(*arguments)
    project.content.cohorts.put(replace(project.content.cohorts.all()[0], members=()))
    project.content.cohorts.recompute(project.content.cohorts.all()[0].cohort_id)
    connector.file("state.json", list(last_states(second).values()))
    third = connector.run(*arguments)

    again = {"active_users": golden("active_users")[-1:], "monthly_active_users": golden("monthly_active_users")}
    assert [by_stream(run) for run in (second, third)] == [again, again]
    assert last_states(third)["active_users"]["stream"] == last_states(first)["active_users"]["stream"]
    computed = [last_states(run)["cohort_members"]["stream"]["stream_state"]["computed_at"] for run in (first, third)]
    assert computed == ["2026-03-01T06:00:00+00:00", "2026-03-04T12:00:00+00:00"]
