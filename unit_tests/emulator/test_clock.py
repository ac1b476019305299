from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator.clock import EmulatorClock, format_instant, parse_instant

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient

NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)


def test_clock_with_a_start_is_stopped() -> None:
    clock = EmulatorClock(NOON)

    assert [clock.now(), clock.now(), clock.is_running] == [NOON, NOON, False]


def test_clock_without_a_start_runs() -> None:
    clock = EmulatorClock()

    assert clock.is_running
    assert clock.now() <= clock.now()


def test_advance_moves_a_stopped_clock_exactly() -> None:
    clock = EmulatorClock(NOON)

    assert clock.advance(timedelta(minutes=90)) == NOON + timedelta(minutes=90) == clock.now()


def test_set_converts_zones_and_can_start_the_clock() -> None:
    clock = EmulatorClock(NOON)
    clock.set(datetime(2026, 3, 4, 14, tzinfo=timezone(timedelta(hours=1))), running=True)

    assert clock.is_running
    assert clock.now() - datetime(2026, 3, 4, 13, tzinfo=timezone.utc) < timedelta(seconds=5)


def test_naive_datetimes_are_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        EmulatorClock(NOON.replace(tzinfo=None))


def test_instants_survive_formatting_and_parsing() -> None:
    assert parse_instant("2026-03-04T12:00:00Z") == parse_instant("2026-03-04T12:00:00") == NOON
    assert format_instant(NOON) == "2026-03-04T12:00:00Z"


def test_date_header_comes_from_the_emulators_clock(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.clock.set(datetime(2015, 10, 21, 7, 28, tzinfo=timezone.utc))
    responses = [
        client.export("20151021T00"),
        client.request("GET", "/us/nothing/here"),
        client.upload([{"user_id": "user-42", "event_type": "A"}]),
        client.control("GET", "clock"),
    ]

    assert [response.headers["Date"] for response in responses] == ["Wed, 21 Oct 2015 07:28:00 GMT"] * 4


def test_fault_can_change_the_date_header(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("wrong_clock", offset_seconds=-600)

    shown = client.export("20260304T09").headers["Date"]

    assert shown == format_datetime(NOON - timedelta(minutes=10), usegmt=True)


@pytest.mark.parametrize("running", [True, False])
def test_elapsed_seconds_include_real_time_and_jumps(running: bool) -> None:  # noqa: FBT001
    clock = EmulatorClock(NOON, running=running)
    begin = clock.elapsed_seconds()
    threading.Event().wait(0.01)
    passed = clock.elapsed_seconds() - begin
    clock.advance(timedelta(hours=1))
    clock.set(NOON)
    clock.set(NOON + timedelta(minutes=5))
    jumped = clock.elapsed_seconds() - begin

    assert 0.005 <= passed < 5
    assert 3_900 <= jumped < 3_905
