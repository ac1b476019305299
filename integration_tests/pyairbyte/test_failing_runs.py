"""PyAirbyte commits a run atomically."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration_tests.pyairbyte.conftest import FIRST, NOON
from integration_tests.pyairbyte.sandbox import ReadResult

if TYPE_CHECKING:
    from datetime import datetime

    from integration_tests.pyairbyte.sandbox import Sandbox

pytestmark = pytest.mark.pyairbyte

HOUR = timedelta(hours=1)
BROKEN = FIRST + 20 * HOUR
END = NOON - 2 * HOUR


def uuids(sandbox: Sandbox, end: datetime = END) -> list[str]:
    return sorted(str(event["uuid"]) for event in sandbox.emulator.store.events(FIRST, end))


def rows(sandbox: Sandbox) -> list[str]:
    return sorted(row["uuid"] for row in sandbox.rows())


def break_an_hour(sandbox: Sandbox) -> None:
    sandbox.emulator.faults.add("bad_request", hour=BROKEN, details="Invalid something")


def test_failed_run_commits_nothing(sandbox: Sandbox) -> None:
    break_an_hour(sandbox)

    failed = sandbox.read(request_time_range=1)
    rows_after, states_after = rows(sandbox), sandbox.states()
    sandbox.emulator.faults.clear()
    retried = sandbox.read(request_time_range=1)

    assert failed == ReadResult(None, "AirbyteConnectorFailedError")
    assert (rows_after, states_after) == ([], {})
    assert retried == ReadResult(len(uuids(sandbox)))
    assert rows(sandbox) == uuids(sandbox)


def test_failed_run_keeps_earlier_rows(sandbox: Sandbox) -> None:
    sandbox.read(end_date="2026-03-03T12:00:00Z")
    before, states = rows(sandbox), sandbox.states()
    break_an_hour(sandbox)

    failed = sandbox.read(request_time_range=1)

    assert failed.failure
    assert rows(sandbox) == before == uuids(sandbox, FIRST + 12 * HOUR)
    assert sandbox.states() == states


def test_windows_by_end_date_keep_rows_before_a_failure(sandbox: Sandbox) -> None:
    ends = [FIRST + number * 8 * HOUR for number in range(1, 5)]
    break_an_hour(sandbox)

    results = [sandbox.read(end_date=f"{end:%Y-%m-%dT%H:%M:%SZ}", request_time_range=1) for end in ends[:3]]
    kept = rows(sandbox)
    sandbox.emulator.faults.clear()
    results.append(sandbox.read(end_date=f"{ends[3]:%Y-%m-%dT%H:%M:%SZ}"))

    assert [result.failure is None for result in results] == [True, True, False, True]
    assert kept == uuids(sandbox, ends[1])
    assert rows(sandbox) == uuids(sandbox, ends[3])
    assert sum(result.records or 0 for result in results) == len(rows(sandbox))
