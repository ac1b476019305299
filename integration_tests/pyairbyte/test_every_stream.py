"""All streams in one run, incremental and full refresh."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.pyairbyte.columns import KEYS, SCHEMAS, column_of, comparable, row_of
from integration_tests.pyairbyte.sandbox import ReadResult, Sandbox
from unit_tests.airbyte.streams.golden_records import everything, golden
from unit_tests.airbyte.streams.rest_host import Project

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

pytestmark = pytest.mark.pyairbyte

START = "2026-02-27T00:00:00Z"  # as for the golden records


def expected_rows(name: str, emulator: Emulator) -> dict[tuple[Any, ...], dict[str, Any]]:
    records = emulator.store.events(end=emulator.clock.now().replace(hour=10)) if name == "events" else golden(name)
    return by_key(name, [row_of(name, record) for record in records])


def by_key(name: str, rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    keyed = {tuple(row[column_of(field)] for field in KEYS[name]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def test_two_runs_give_every_table_without_duplicates(sandbox: Sandbox) -> None:
    project = Project(sandbox.emulator)
    project.set(cohort_pending_polls=0)
    options = {**everything(project), "start_date": START}

    results = [sandbox.read("*", **options) for _ in range(2)]

    assert [result.failure for result in results] == [None, None]
    for name in SCHEMAS:
        rows = by_key(name, [comparable(name, row) for row in sandbox.rows(name)])
        assert rows == expected_rows(name, sandbox.emulator), name


def test_missing_part_of_the_plan_fails_the_whole_run(sandbox: Sandbox) -> None:
    Project(sandbox.emulator).set(missing_in_plan=["taxonomy"])

    every, named = sandbox.read("*"), sandbox.read(["events", "cohorts"])

    assert every == ReadResult(None, "AirbyteConnectorFailedError")
    assert named == ReadResult(len(sandbox.rows()) + len(sandbox.rows("cohorts")))


def test_deleted_item_stays_in_a_full_refresh_table(sandbox: Sandbox) -> None:
    sandbox.read(["annotations"])
    before = sandbox.rows("annotations")
    content = sandbox.emulator.content
    content.catalog = replace(content.catalog, annotations=content.catalog.annotations[1:])

    again = sandbox.read(["annotations"])

    assert again == ReadResult(len(before) - 1)
    assert sandbox.rows("annotations") == before
