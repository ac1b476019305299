"""Successive runs into one DuckDB file, while Amplitude's clock advances."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.pyairbyte.columns import SCHEMAS, column_of, comparable, row_of, type_of
from integration_tests.pyairbyte.conftest import FIRST, NOON, put_sample
from integration_tests.pyairbyte.sandbox import ReadResult

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from integration_tests.pyairbyte.sandbox import Sandbox

pytestmark = pytest.mark.pyairbyte

HOUR = timedelta(hours=1)
DELAY = 3 * HOUR


def by_uuid(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["uuid"]: row for row in rows}


def stored(emulator: Emulator, end: datetime) -> dict[str, dict[str, Any]]:
    """Return the expected rows of the emulator's events before an hour."""
    return by_uuid([row_of("events", event) for event in emulator.store.events(FIRST, end)])


def read(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [comparable("events", row) for row in sandbox.rows()]


def test_three_runs_load_every_event_once(sandbox: Sandbox) -> None:
    emulator, newest = sandbox.emulator, []
    expected = [len(stored(emulator, NOON - 2 * HOUR))]

    results = [sandbox.read()]
    newest.append(sandbox.states()["events"]["ledger"]["newest_landed"])

    emulator.clock.advance(4 * HOUR)
    late = put_sample(emulator, seed=11, start=NOON - 4 * HOUR, end=NOON - 3 * HOUR)
    expected.append(len(stored(emulator, NOON + 2 * HOUR)) - sum(expected))
    results.append(sandbox.read())
    newest.append(sandbox.states()["events"]["ledger"]["newest_landed"])

    emulator.clock.advance(24 * HOUR)
    later = put_sample(emulator, seed=13, start=NOON - 2 * HOUR, end=NOON - HOUR)
    expected.append(len(stored(emulator, NOON + 26 * HOUR)) - sum(expected))
    results.append(sandbox.read())
    newest.append(sandbox.states()["events"]["ledger"]["newest_landed"])

    rows = read(sandbox)
    assert results == [ReadResult(number) for number in expected]
    assert min(late, later, *expected) > 0
    assert len(rows) == sum(expected) == len(emulator.store.events(FIRST, NOON + 26 * HOUR))
    assert by_uuid(rows) == stored(emulator, NOON + 26 * HOUR)
    assert newest == sorted(set(newest))


def test_run_without_new_events_loads_nothing(sandbox: Sandbox) -> None:
    sandbox.read()
    before, state = read(sandbox), sandbox.states()["events"]["ledger"]["settled"]

    again = sandbox.read()

    assert again == ReadResult(0)
    assert read(sandbox) == before
    assert sandbox.states()["events"]["ledger"]["settled"] == state


def test_columns_are_lower_case_with_types_of_the_schema(sandbox: Sandbox) -> None:
    sandbox.read(end_date="2026-03-03T01:00:00Z")

    types = {name: kind for name, kind in sandbox.types().items() if not name.startswith("_airbyte_")}

    assert types == {column_of(field): type_of(schema) for field, schema in SCHEMAS["events"].items()}
    assert {"_insert_id", "_insert_key", "_schema"} <= set(types)


def test_undeclared_field_is_dropped(sandbox: Sandbox) -> None:
    hour = NOON - 5 * HOUR
    (event, *_) = sandbox.emulator.store.events(hour, hour + HOUR)
    sandbox.emulator.store.add_member(hour, [{**event, "uuid": "odd", "of_tomorrow": 1}])

    sandbox.read()

    (row,) = [row for row in read(sandbox) if row["uuid"] == "odd"]
    assert row == row_of("events", event) | {"uuid": "odd"}
    assert "of_tomorrow" not in row
