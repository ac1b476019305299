"""Every table read without Airbyte: part by part, with a state for the next read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from source_amplitude.api import CredentialCheck
from source_amplitude.api.quotas import Quotas
from source_amplitude.config import parse_config
from source_amplitude.errors import InvalidStateError, StoppedError
from source_amplitude.export import Amplitude, Limits
from source_amplitude.tables import TABLES
from source_amplitude.tables.rest_session import RestSession
from unit_tests.airbyte.streams.golden_records import everything, golden

if TYPE_CHECKING:
    from source_amplitude.tables import Table
    from source_amplitude.tables.table import Reading
    from unit_tests.airbyte.streams.rest_host import Project

BY_NAME = {table.name: table for table in TABLES}


def session(project: Project, stop: threading.Event | None = None, **changes: object) -> RestSession:
    """Return a new session with options that give every table something to read."""
    config = parse_config(project.config(**everything(project) | changes))
    amplitude = Amplitude.of(config, Limits(), project.clock, project.emulator.url)
    ends = stop or threading.Event()
    return RestSession(
        amplitude, CredentialCheck(amplitude.client, amplitude.other_region), Quotas(project.clock, ends), ends
    )


def rows_of(reading: Reading, *, again: bool = True) -> list[dict[str, Any]]:
    return [row for part in reading.parts(again=again) for row in reading.rows(part)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_without_airbyte_has_the_rows_of_its_stream(project: Project, table: Table) -> None:
    assert rows_of(table.read(session(project))) == golden(table.name)


def test_each_table_has_a_unique_name_and_a_primary_key() -> None:
    assert len(BY_NAME) == len(TABLES) == 22
    assert [table.name for table in TABLES if not table.primary_key] == []
    assert {table.name: table.needs for table in TABLES if table.needs} == {
        "cohort_members": "cohort_ids",
        "user_composition": "composition_properties",
        "chart_results": "chart_ids",
    }


@pytest.mark.parametrize("table", [table for table in TABLES if table.cursor_field], ids=lambda table: table.name)
def test_a_read_continues_after_the_previous_state(project: Project, table: Table) -> None:
    first = table.read(session(project))
    rows_of(first)

    second = table.read(session(project), first.state)

    assert first.state != {}
    assert rows_of(second, again=False) == []
    assert second.state == first.state


@pytest.mark.parametrize("table", [table for table in TABLES if not table.cursor_field], ids=lambda table: table.name)
def test_a_table_without_a_cursor_has_no_state(project: Project, table: Table) -> None:
    reading = table.read(session(project))
    rows_of(reading)

    assert reading.state == {}


def test_the_state_covers_a_part_after_all_its_rows_are_consumed(project: Project) -> None:
    reading = BY_NAME["session_length_distribution"].read(session(project))
    states = []

    for part in reading.parts():
        rows = reading.rows(part)
        next(rows)
        states.append(dict(reading.state))
        list(rows)

    days = ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    assert states == [{}, *({"date": day} for day in days)]
    assert reading.state == {"date": "2026-03-03"}


def test_two_reads_of_one_table_have_separate_states(project: Project) -> None:
    table = BY_NAME["active_users"]
    one, other = table.read(session(project)), table.read(session(project), {"date": "2026-03-01"})

    rows_of(one)

    assert (one.state, other.state) == ({"date": "2026-03-03"}, {"date": "2026-03-01"})


def test_errors_are_the_connector_s_own_classes(project: Project) -> None:
    stop = threading.Event()
    rows = BY_NAME["cohorts"].read(session(project, stop)).rows({})

    with pytest.raises(InvalidStateError):
        list(BY_NAME["active_users"].read(session(project), {"date": "yesterday"}).parts())
    next(rows)
    stop.set()
    with pytest.raises(StoppedError):
        next(rows)
