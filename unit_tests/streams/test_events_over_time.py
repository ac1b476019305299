"""Weeks of syncs: late hours, silence, growth, repairs, outages; every event once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.sources.streams.concurrent.cursor import CursorField
from airbyte_cdk.sources.streams.concurrent.state_converters.datetime_stream_state_converter import (
    CustomFormatConcurrentStreamStateConverter,
)

from amplitude_emulator import generate_hours
from unit_tests.conftest import NOON, fill
from unit_tests.streams.host import move_on, sync, uuids

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.fakes.fake_clock import FakeClock

HOUR = timedelta(hours=1)
MALFORMED = b'{"uuid":"before","server_upload_time":"2026-03-04 06:00:00.000000"}\n{"cut": "of\n'


@pytest.mark.parametrize("late_hours", [1, 12, 24])
def test_an_hour_published_up_to_a_day_after_the_margin_is_not_lost(
    half_a_day: Emulator, clock: FakeClock, late_hours: int
) -> None:
    late = NOON.replace(hour=5)
    half_a_day.store.publish_at(late, late + HOUR * (3 + late_hours))
    state: dict[str, Any] | None = None
    emitted: list[str] = []

    for _ in range(8):
        result = sync(half_a_day, clock, state)
        state, emitted = result.states[-1], emitted + result.uuids
        move_on(half_a_day, clock, timedelta(hours=4))

    assert sorted(emitted) == uuids(half_a_day)


def test_a_project_that_is_silent_for_weeks_is_asked_for_little_and_loses_nothing_when_it_wakes(
    half_a_day: Emulator, clock: FakeClock
) -> None:
    state = sync(half_a_day, clock).states[-1]
    move_on(half_a_day, clock, timedelta(weeks=5))
    state = sync(half_a_day, clock, state).states[-1]
    half_a_day.clear_requests()
    asleep = sync(half_a_day, clock, state)
    requests_while_asleep = len(half_a_day.requests)
    awake = NOON + timedelta(weeks=5, hours=-20)
    generate_hours(half_a_day.store, seed=3, start=awake, end=awake + 2 * HOUR, total_events=50)

    woken = sync(half_a_day, clock, asleep.states[-1])
    again = sync(half_a_day, clock, woken.states[-1])

    new = sorted(str(event["uuid"]) for event in half_a_day.store.events(awake))
    assert asleep.uuids == []
    assert requests_while_asleep == 2  # the test of the keys, and one for all open hours
    assert sorted(woken.uuids) == new
    assert again.uuids == []


def test_an_hour_compressed_anew_brings_nothing_and_a_rewritten_one_comes_whole_with_a_warning(
    half_a_day: Emulator, clock: FakeClock
) -> None:
    first = sync(half_a_day, clock)
    for member in half_a_day.store.members(NOON.replace(hour=7), NOON.replace(hour=8)):
        half_a_day.store.recompress(NOON.replace(hour=7), member.name.partition)
    rewritten = half_a_day.store.members(NOON.replace(hour=8), NOON.replace(hour=9))[0]
    event = json.loads(half_a_day.store.lines(NOON.replace(hour=8), NOON.replace(hour=9))[0])
    half_a_day.store.rewrite_lines(NOON.replace(hour=8), rewritten.name.partition, [event | {"uuid": "rewritten"}])
    move_on(half_a_day, clock, timedelta(hours=4))

    second = sync(half_a_day, clock, first.states[-1])
    third = sync(half_a_day, clock, second.states[-1])

    assert (second.uuids, third.uuids) == (["rewritten"], [])
    assert f"Amplitude has rewritten the member {rewritten.name} of 2026-03-04 08:00 UTC" in second.warnings


def test_a_full_refresh_looks_for_no_late_files(half_a_day: Emulator, clock: FakeClock) -> None:
    state = sync(half_a_day, clock, mode="full_refresh").states[-1]
    half_a_day.store.add_member(NOON.replace(hour=7), [b'{"uuid":"late"}'], partition=9999)
    move_on(half_a_day, clock, timedelta(hours=4))

    resumed = sync(half_a_day, clock, state, mode="full_refresh", end_date="2026-03-04T10:00:00Z")

    assert resumed.uuids == []


def test_an_outage_in_the_middle_of_a_years_backfill_ends_the_stream_soon(
    half_a_day: Emulator, clock: FakeClock
) -> None:
    half_a_day.faults.add("forbidden", path="/never")
    sync(half_a_day, clock)
    half_a_day.clear_requests()
    half_a_day.faults.add(
        "server_error", path="/api/2/export", hour=datetime.fromisoformat("2025-06-01T00:00:00+00:00")
    )
    for hour in range(1, 40):
        day = datetime.fromisoformat("2025-06-01T00:00:00+00:00") + HOUR * 24 * hour
        half_a_day.faults.add("server_error", path="/api/2/export", hour=day)

    outage = sync(half_a_day, clock, start_date="2025-05-25T00:00:00Z", request_time_range=24, num_workers=1)

    asked = [seen.query["start"] for seen in half_a_day.requests]
    assert "3 windows in a row failed alike" in outage.errors[0]
    assert max(asked) <= "20250604T00"
    assert len(asked) <= 1 + 7 + 2 * 4


@pytest.mark.parametrize(
    ("policy", "first_red", "second_red"), [("report", True, False), ("fail", True, True), ("skip", False, False)]
)
def test_a_malformed_line_is_reported_by_the_policy_and_never_repeats_its_neighbours(
    half_a_day: Emulator, clock: FakeClock, policy: str, *, first_red: bool, second_red: bool
) -> None:
    everything = uuids(half_a_day)
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, MALFORMED)

    first = sync(half_a_day, clock, malformed_lines=policy)
    second = sync(half_a_day, clock, first.states[-1], malformed_lines=policy)

    where = "2026-03-04 06:00 UTC, member 100200/100200_2026-03-04_6#5000.json.gz"
    assert sorted(first.uuids) == sorted([*everything, "before"])
    assert second.uuids == []
    assert [bool(first.errors), bool(second.errors)] == [first_red, second_red]
    assert not first_red or f"One line is no JSON object: {where}, line 2." in first.errors[0]
    assert not second_red or where in second.errors[0]
    assert "100200/100200_2026-03-04_6#5000.json.gz" in second.warnings
    assert "cut" not in first.warnings + second.warnings + "".join(first.errors + second.errors)


def test_a_failing_line_that_amplitude_mends_comes_with_its_member(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, MALFORMED)
    first = sync(half_a_day, clock, malformed_lines="fail")
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, MALFORMED.replace(b'{"cut": "of', b'{"uuid":"mended"}'))

    second = sync(half_a_day, clock, first.states[-1], malformed_lines="fail")
    third = sync(half_a_day, clock, second.states[-1], malformed_lines="fail")

    assert (second.uuids, second.errors) == (["before", "mended"], [])
    assert (third.uuids, third.errors) == ([], [])


def test_upstreams_own_converter_reads_our_state_and_we_go_on_after_it(half_a_day: Emulator, clock: FakeClock) -> None:
    ours = sync(half_a_day, clock, end_date="2026-03-04T06:00:00Z").states[-1]
    converter = CustomFormatConcurrentStreamStateConverter(
        datetime_format="%Y%m%dT%H", is_sequential_state=True, cursor_granularity=HOUR
    )
    cursor = CursorField("server_upload_time")

    _, theirs = converter.convert_from_sequential_state(cursor, ours, NOON - timedelta(days=9))
    theirs["slices"][-1] |= {"end": NOON, "most_recent_cursor_value": NOON.replace(hour=9)}
    written = dict(converter.convert_to_state_message(cursor, theirs))
    back = sync(half_a_day, clock, written)

    assert written["server_upload_time"] == "20260304T09"
    assert written["ledger"] == ours["ledger"]
    assert "another version of this source ran in between" in back.warnings
    assert sorted(back.uuids) == uuids(half_a_day, 4)


def test_a_state_is_small_and_large_ones_are_rare(emulator: Emulator, clock: FakeClock) -> None:
    fill(emulator, 0, 10, events_per_hour=60)

    many = sync(emulator, clock, request_time_range=1)

    assert max(len(json.dumps(state)) for state in many.states) < 5_000
