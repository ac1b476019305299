"""The number of requests over hours without files, and after windows that are too large."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import generate_hours
from unit_tests.conftest import NOON, fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector, Run

EXPORT = "/api/2/export"
YEARS_BEFORE = "2024-03-04T00:00:00Z"
HOUR = timedelta(hours=1)


@pytest.fixture
def connector(quick_connector: Connector) -> Connector:
    return quick_connector


def read_uuids(run: Run) -> list[str]:
    return sorted(record["uuid"] for record in run.records)


def uuids(emulator: Emulator) -> list[str]:
    return sorted(str(event["uuid"]) for event in emulator.store.events())


@pytest.mark.parametrize("order", ["oldest_first", "newest-first"])
@pytest.mark.parametrize(("workers", "hours"), [(1, 1), (5, 1), (4, 24), (2, 8760)])
def test_two_years_without_events_take_at_most_60_requests(
    half_a_day: Emulator, connector: Connector, workers: int, hours: int, order: str
) -> None:
    read = connector.read(start_date=YEARS_BEFORE, num_workers=workers, request_time_range=hours, backfill_order=order)

    assert read_uuids(read) == uuids(half_a_day)
    assert len(half_a_day.requests) <= 60
    assert read.states[-1]["server_upload_time"] == "20260303T09"
    assert read.states[-1]["ledger"]["settled"] == [
        ["20240304T00", "20260303T10"],  # later ones are too young to be empty
        ["20260304T00", "20260304T03"],
        ["20260304T05", "20260304T10"],
    ]


def test_a_long_window_that_is_too_large_is_cut_at_the_range(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.faults.add("too_large_above_hours", hours=4, hour=NOON.replace(hour=6))

    read = connector.read(start_date=YEARS_BEFORE)

    refused = [seen.query for seen in half_a_day.requests if seen.status == 400]
    assert read_uuids(read) == uuids(half_a_day)
    assert len(half_a_day.requests) <= 60
    assert len(refused) >= 1
    assert "working_hours" not in read.states[-1]["ledger"]


def test_a_size_that_worked_applies_to_all_windows_at_once(emulator: Emulator, connector: Connector) -> None:
    first = NOON - 33 * HOUR
    hours = [first + number * HOUR for number in range(31)]
    for seed, hour in enumerate(hours):
        generate_hours(emulator.store, seed=seed, start=hour, end=hour + HOUR, total_events=3)
    emulator.faults.add("too_large_above_hours", hours=1)

    read = connector.read(start_date=f"{first:%Y-%m-%dT%H:%M:%SZ}", num_workers=4, request_time_range=24)

    answered = [seen.query["start"] for seen in emulator.requests if seen.status == 200]
    assert read_uuids(read) == uuids(emulator)
    assert sorted(answered) == [f"{hour:%Y%m%dT%H}" for hour in hours]
    assert len(emulator.requests) <= 45


def test_nothing_is_requested_behind_a_grown_window(emulator: Emulator, connector: Connector) -> None:
    fill(emulator, 0, 10)

    connector.read(start_date="2026-02-01T00:00:00Z", num_workers=5, request_time_range=4)

    exports = [seen for seen in emulator.requests if seen.path.endswith(EXPORT)]
    grown = [seen.at_once for seen in exports if hours_of(seen.query) > 4]
    assert grown == [1] * len(grown) != []


def hours_of(query: Mapping[str, str]) -> int:
    days = int(query["end"][6:8]) - int(query["start"][6:8]) + 31 * (int(query["end"][4:6]) - int(query["start"][4:6]))
    return days * 24 + int(query["end"][9:]) - int(query["start"][9:]) + 1
