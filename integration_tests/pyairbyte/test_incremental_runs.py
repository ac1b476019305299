"""Run after run into one DuckDB file, while Amplitude's clock moves on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.pyairbyte.columns import SCHEMAS, column_of, comparable, row_of, type_of
from integration_tests.pyairbyte.conftest import FIRST, NOON, put_sample
from integration_tests.pyairbyte.desk import Answer

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from integration_tests.pyairbyte.desk import Desk

pytestmark = pytest.mark.pyairbyte

HOUR = timedelta(hours=1)
DELAY = 3 * HOUR


def by_uuid(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["uuid"]: row for row in rows}


def stored(emulator: Emulator, end: datetime) -> dict[str, dict[str, Any]]:
    """Return the rows that the emulator's events before an hour must become."""
    return by_uuid([row_of("events", event) for event in emulator.store.events(FIRST, end)])


def read(desk: Desk) -> list[dict[str, Any]]:
    return [comparable("events", row) for row in desk.rows()]


def test_three_runs_load_every_event_once(desk: Desk) -> None:
    emulator, newest = desk.emulator, []
    expected = [len(stored(emulator, NOON - 2 * HOUR))]

    answers = [desk.read()]
    newest.append(desk.states()["events"]["ledger"]["newest_landed"])

    emulator.clock.advance(4 * HOUR)
    late = put_sample(emulator, seed=11, start=NOON - 4 * HOUR, end=NOON - 3 * HOUR)
    expected.append(len(stored(emulator, NOON + 2 * HOUR)) - sum(expected))
    answers.append(desk.read())
    newest.append(desk.states()["events"]["ledger"]["newest_landed"])

    emulator.clock.advance(24 * HOUR)
    later = put_sample(emulator, seed=13, start=NOON - 2 * HOUR, end=NOON - HOUR)
    expected.append(len(stored(emulator, NOON + 26 * HOUR)) - sum(expected))
    answers.append(desk.read())
    newest.append(desk.states()["events"]["ledger"]["newest_landed"])

    rows = read(desk)
    assert answers == [Answer(number) for number in expected]
    assert min(late, later, *expected) > 0
    assert len(rows) == sum(expected) == len(emulator.store.events(FIRST, NOON + 26 * HOUR))
    assert by_uuid(rows) == stored(emulator, NOON + 26 * HOUR)
    assert newest == sorted(set(newest))


def test_run_without_new_events_loads_nothing(desk: Desk) -> None:
    desk.read()
    before, state = read(desk), desk.states()["events"]["ledger"]["settled"]

    again = desk.read()

    assert again == Answer(0)
    assert read(desk) == before
    assert desk.states()["events"]["ledger"]["settled"] == state


def test_columns_are_lower_case_with_types_of_the_schema(desk: Desk) -> None:
    desk.read(end_date="2026-03-03T01:00:00Z")

    types = {name: kind for name, kind in desk.types().items() if not name.startswith("_airbyte_")}

    assert types == {column_of(field): type_of(schema) for field, schema in SCHEMAS["events"].items()}
    assert {"_insert_id", "_insert_key", "_schema"} <= set(types)


def test_undeclared_field_is_dropped(desk: Desk) -> None:
    hour = NOON - 5 * HOUR
    (event, *_) = desk.emulator.store.events(hour, hour + HOUR)
    desk.emulator.store.add_member(hour, [{**event, "uuid": "odd", "of_tomorrow": 1}])

    desk.read()

    (row,) = [row for row in read(desk) if row["uuid"] == "odd"]
    assert row == row_of("events", event) | {"uuid": "odd"}
    assert "of_tomorrow" not in row
