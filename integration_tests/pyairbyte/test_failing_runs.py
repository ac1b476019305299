"""PyAirbyte commits a run as a whole or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration_tests.pyairbyte.conftest import FIRST, NOON
from integration_tests.pyairbyte.desk import Answer

if TYPE_CHECKING:
    from datetime import datetime

    from integration_tests.pyairbyte.desk import Desk

pytestmark = pytest.mark.pyairbyte

HOUR = timedelta(hours=1)
BROKEN = FIRST + 20 * HOUR
END = NOON - 2 * HOUR


def uuids(desk: Desk, end: datetime = END) -> list[str]:
    return sorted(str(event["uuid"]) for event in desk.emulator.store.events(FIRST, end))


def rows(desk: Desk) -> list[str]:
    return sorted(row["uuid"] for row in desk.rows())


def break_an_hour(desk: Desk) -> None:
    desk.emulator.faults.add("bad_request", hour=BROKEN, details="Invalid something")


def test_failed_run_commits_nothing(desk: Desk) -> None:
    break_an_hour(desk)

    failed = desk.read(request_time_range=1)
    rows_of_it, states_of_it = rows(desk), desk.states()
    desk.emulator.faults.clear()
    mended = desk.read(request_time_range=1)

    assert failed == Answer(None, "AirbyteConnectorFailedError")
    assert (rows_of_it, states_of_it) == ([], {})
    assert mended == Answer(len(uuids(desk)))
    assert rows(desk) == uuids(desk)


def test_failed_run_keeps_earlier_rows(desk: Desk) -> None:
    desk.read(end_date="2026-03-03T12:00:00Z")
    before, states = rows(desk), desk.states()
    break_an_hour(desk)

    failed = desk.read(request_time_range=1)

    assert failed.failure
    assert rows(desk) == before == uuids(desk, FIRST + 12 * HOUR)
    assert desk.states() == states


def test_windows_by_end_date_keep_rows_before_a_failure(desk: Desk) -> None:
    ends = [FIRST + number * 8 * HOUR for number in range(1, 5)]
    break_an_hour(desk)

    answers = [desk.read(end_date=f"{end:%Y-%m-%dT%H:%M:%SZ}", request_time_range=1) for end in ends[:3]]
    kept = rows(desk)
    desk.emulator.faults.clear()
    answers.append(desk.read(end_date=f"{ends[3]:%Y-%m-%dT%H:%M:%SZ}"))

    assert [answer.failure is None for answer in answers] == [True, True, False, True]
    assert kept == uuids(desk, ends[1])
    assert rows(desk) == uuids(desk, ends[3])
    assert sum(answer.records or 0 for answer in answers) == len(rows(desk))
