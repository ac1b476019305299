"""The events stream in this process, with the test's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from source_amplitude.airbyte.streams.events_sync import Pace, SavePoint
from source_amplitude.export import Limits
from unit_tests.airbyte.streams.host import QUICK, move_on, sync, uuids
from unit_tests.conftest import NOON, fill
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from amplitude_emulator import Emulator


def test_a_slow_local_clock_causes_no_duplicates(half_a_day: Emulator, clock: FakeClock) -> None:
    first = sync(half_a_day, clock, recheck_hours=[])
    slow = sync(half_a_day, FakeClock(NOON - timedelta(hours=6)), first.states[-1], recheck_hours=[])
    again = sync(half_a_day, clock, slow.states[-1], recheck_hours=[])

    assert len(first.uuids) == len(half_a_day.store.lines())
    assert (slow.uuids, again.uuids) == ([], [])
    assert "behind Amplitude's" in slow.warnings


def test_a_fast_local_clock_requests_no_hour_too_early(half_a_day: Emulator) -> None:
    fast = sync(half_a_day, FakeClock(NOON + timedelta(days=30)))

    assert len(fast.uuids) == len(half_a_day.store.lines())
    assert max(seen.query["end"] for seen in half_a_day.requests) == "20260304T09"
    assert "ahead of Amplitude's" in fast.warnings


def test_a_future_state_is_rewound(half_a_day: Emulator, clock: FakeClock) -> None:
    first = sync(half_a_day, clock, {"server_upload_time": "20990101T00"})
    fill(half_a_day, 10, 12)
    move_on(half_a_day, clock, timedelta(hours=2))

    second = sync(half_a_day, clock, first.states[-1])

    assert (first.uuids, first.states[-1]["server_upload_time"]) == ([], "20260304T09")
    assert "it is set back to 2026-03-04 10:00 UTC" in first.warnings
    assert sorted(second.uuids) == uuids(half_a_day, 10)


def test_the_state_is_repeated_while_waiting(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.faults.add("prepare", seconds=1.0, hour=NOON.replace(hour=6))
    settings = Limits(retry=QUICK.retry, heartbeat_seconds=0.2)

    waiting = sync(half_a_day, clock, settings=settings)
    patient = sync(half_a_day, FakeClock(NOON))

    assert len(waiting.states) > len(patient.states) == 2
    assert waiting.uuids == patient.uuids


def test_archives_of_another_project_are_an_error(half_a_day: Emulator, clock: FakeClock) -> None:
    state = sync(half_a_day, clock, end_date="2026-03-04T02:00:00Z").states[-1]
    state["ledger"] = {**state["ledger"], "project": "999"}

    other = sync(half_a_day, clock, state)

    assert other.uuids == []
    assert other.errors[0].startswith("The archives belong to project 100200, the saved state to project 999. ")
    assert "create a new connection" in other.errors[0]


def test_an_accepted_gap_is_not_read_and_is_logged(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.faults.add("server_error", hour=NOON.replace(hour=6))
    gaps = ["2026-03-04T06"]

    accepted = sync(half_a_day, clock, accepted_gaps=gaps, request_time_range=1)
    half_a_day.faults.clear()
    repaired = sync(half_a_day, clock, accepted.states[-1], request_time_range=1)

    assert accepted.errors == []
    assert "2026-03-04 06:00 UTC is not read, because it is in accepted_gaps" in accepted.warnings
    assert sorted(repaired.uuids) == uuids(half_a_day, 6, 7)


def test_start_date_may_move_back_and_forth(half_a_day: Emulator, clock: FakeClock) -> None:
    late = sync(half_a_day, clock, start_date="2026-03-04T08:00:00Z")
    early = sync(half_a_day, clock, late.states[-1])
    newer = sync(half_a_day, clock, None, start_date="2026-03-04T09:00:00Z")

    assert sorted(late.uuids + early.uuids) == uuids(half_a_day)
    assert sorted(newer.uuids) == uuids(half_a_day, 9)


def test_a_failed_hour_does_not_affect_other_hours(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.faults.add("server_error", path="/api/2/export", hour=NOON.replace(hour=8))

    broken = sync(half_a_day, clock, request_time_range=1)

    assert sorted(broken.uuids) == sorted(uuids(half_a_day, 0, 8) + uuids(half_a_day, 9))
    assert "2026-03-04 08:00 UTC" in broken.errors[0]


def test_a_partial_last_line_is_emitted_once_complete(half_a_day: Emulator, clock: FakeClock) -> None:
    hour, line = NOON.replace(hour=7), b'{"uuid":"late","server_upload_time":"2026-03-04 07:59:59.000000"}\n'
    whole = half_a_day.store.lines()[0] + b"\n"
    half_a_day.store.put_content(hour, 5000, whole + line[:20])
    first = sync(half_a_day, clock)
    half_a_day.store.put_content(hour, 5000, whole + line)
    move_on(half_a_day, clock, timedelta(hours=3))

    second = sync(half_a_day, clock, first.states[-1])

    assert "1 line is not a JSON object" in first.errors[0]
    assert len(first.uuids) == len(uuids(half_a_day)) - 1
    assert (second.uuids, second.errors) == (["late"], [])


def test_three_failed_windows_in_a_row_end_the_stream(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.faults.add("broken_member")

    broken = sync(half_a_day, clock, request_time_range=1, num_workers=1)

    assert "3 windows in a row failed with the same kind of error" in broken.errors[0]
    assert max(seen.query["start"] for seen in half_a_day.requests) == "20260304T03"


def test_states_are_rate_limited(clock: FakeClock) -> None:
    pace = Pace(clock)
    allowed = []
    for state in ({}, {}, {"large": "x" * 20_000}, {}):
        pace.note(SavePoint(state))
        for seconds in (0.5, 0.5, 28.5, 0.5):
            clock.advance(seconds)
            allowed.append(pace.allows_a_state())

    small, large = [False, True, True, True], [False, False, False, True]
    assert allowed == small + small + large + small


def test_a_failed_recheck_is_repeated(half_a_day: Emulator, clock: FakeClock) -> None:
    first = sync(half_a_day, clock)
    half_a_day.store.add_member(NOON.replace(hour=7), [b'{"uuid":"late"}'], partition=0)
    move_on(half_a_day, clock, timedelta(hours=40))
    half_a_day.faults.add("broken_member", hour=NOON.replace(hour=7), member=1)

    broken = sync(half_a_day, clock, first.states[-1])
    half_a_day.faults.clear()
    repaired = sync(half_a_day, clock, broken.states[-1])

    assert broken.errors
    assert broken.uuids + repaired.uuids == ["late"]


def test_no_line_of_a_damaged_member_is_emitted(emulator: Emulator, clock: FakeClock) -> None:
    lines = [b'{"uuid":"%d","pad":"%s"}' % (number, b"x" * 3000) for number in range(200)]
    emulator.store.add_member(NOON.replace(hour=6), lines, partition=0)
    good = emulator.store.read(emulator.store.members()[0].name) or b""
    emulator.store.put_gzip(NOON.replace(hour=6), 0, good[:-6] + bytes([good[-6] ^ 1]) + good[-5:])

    damaged = sync(emulator, clock)
    emulator.store.put_gzip(NOON.replace(hour=6), 0, good)
    fixed = sync(emulator, clock, damaged.states[-1])

    assert damaged.uuids == []
    assert "cannot be unpacked" in damaged.errors[0]
    assert fixed.uuids == [str(number) for number in range(200)]
    assert "rewritten" not in fixed.warnings


def test_policy_fail_applies_to_lines_reported_earlier(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, b'{"cut\n')
    reported = sync(half_a_day, clock, malformed_lines="report")

    failing = sync(half_a_day, clock, reported.states[-1], malformed_lines="fail")
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, b'{"uuid":"fixed"}\n')
    fixed = sync(half_a_day, clock, failing.states[-1], malformed_lines="fail")
    after = sync(half_a_day, clock, fixed.states[-1], malformed_lines="fail")

    assert [bool(each.errors) for each in (reported, failing, fixed, after)] == [True, True, False, False]
    assert (failing.uuids, fixed.uuids, after.uuids) == ([], ["fixed"], [])


def test_a_full_refresh_with_only_open_hours_logs_a_warning(half_a_day: Emulator, clock: FakeClock) -> None:
    state = sync(half_a_day, clock, mode="full_refresh").states[-1]

    again = sync(half_a_day, clock, state, mode="full_refresh")

    assert again.uuids == []
    assert "Clear the stream's state" in again.warnings
