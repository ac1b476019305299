"""The events stream in this process, where a test owns the clock."""

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


def test_a_slow_clock_of_ours_makes_no_hour_come_twice(half_a_day: Emulator, clock: FakeClock) -> None:
    first = sync(half_a_day, clock, recheck_hours=[])
    slow = sync(half_a_day, FakeClock(NOON - timedelta(hours=6)), first.states[-1], recheck_hours=[])
    again = sync(half_a_day, clock, slow.states[-1], recheck_hours=[])

    assert len(first.uuids) == len(half_a_day.store.lines())
    assert (slow.uuids, again.uuids) == ([], [])
    assert "behind Amplitude's" in slow.warnings


def test_a_fast_clock_of_ours_asks_for_no_hour_too_early(half_a_day: Emulator) -> None:
    fast = sync(half_a_day, FakeClock(NOON + timedelta(days=30)))

    assert len(fast.uuids) == len(half_a_day.store.lines())
    assert max(seen.query["end"] for seen in half_a_day.requests) == "20260304T09"
    assert "ahead of Amplitude's" in fast.warnings


def test_a_state_of_the_future_is_set_back_and_leaves_no_trap(half_a_day: Emulator, clock: FakeClock) -> None:
    first = sync(half_a_day, clock, {"server_upload_time": "20990101T00"})
    fill(half_a_day, 10, 12)
    move_on(half_a_day, clock, timedelta(hours=2))

    second = sync(half_a_day, clock, first.states[-1])

    assert (first.uuids, first.states[-1]["server_upload_time"]) == ([], "20260304T09")
    assert "it is set back to 2026-03-04 10:00 UTC" in first.warnings
    assert sorted(second.uuids) == uuids(half_a_day, 10)


def test_nothing_new_for_a_while_brings_the_state_again(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.faults.add("prepare", seconds=1.0, hour=NOON.replace(hour=6))
    settings = Limits(retry=QUICK.retry, heartbeat_seconds=0.2)

    waiting = sync(half_a_day, clock, settings=settings)
    patient = sync(half_a_day, FakeClock(NOON))

    assert len(waiting.states) > len(patient.states) == 2
    assert waiting.uuids == patient.uuids


def test_archives_of_another_project_are_an_error_that_says_how_to_reset(
    half_a_day: Emulator, clock: FakeClock
) -> None:
    state = sync(half_a_day, clock, end_date="2026-03-04T02:00:00Z").states[-1]
    state["ledger"] = {**state["ledger"], "project": "999"}

    other = sync(half_a_day, clock, state)

    assert other.uuids == []
    assert other.errors[0].startswith("The archives belong to project 100200, the saved state to project 999. ")
    assert "use a new connection" in other.errors[0]


def test_an_accepted_gap_counts_as_read_and_every_summary_names_it(half_a_day: Emulator, clock: FakeClock) -> None:
    half_a_day.faults.add("server_error", hour=NOON.replace(hour=6))
    gaps = ["2026-03-04T06"]

    accepted = sync(half_a_day, clock, accepted_gaps=gaps, request_time_range=1)
    half_a_day.faults.clear()
    healed = sync(half_a_day, clock, accepted.states[-1], request_time_range=1)

    assert accepted.errors == []
    assert "2026-03-04 06:00 UTC counts as read because accepted_gaps names it" in accepted.warnings
    assert sorted(healed.uuids) == uuids(half_a_day, 6, 7)


def test_an_older_start_date_reads_what_was_before_and_a_newer_one_wins(half_a_day: Emulator, clock: FakeClock) -> None:
    late = sync(half_a_day, clock, start_date="2026-03-04T08:00:00Z")
    early = sync(half_a_day, clock, late.states[-1])
    newer = sync(half_a_day, clock, None, start_date="2026-03-04T09:00:00Z")

    assert sorted(late.uuids + early.uuids) == uuids(half_a_day)
    assert sorted(newer.uuids) == uuids(half_a_day, 9)


def test_one_stream_that_fails_does_not_take_the_records_of_an_hour_before(
    half_a_day: Emulator, clock: FakeClock
) -> None:
    half_a_day.faults.add("server_error", path="/api/2/export", hour=NOON.replace(hour=8))

    broken = sync(half_a_day, clock, request_time_range=1)

    assert sorted(broken.uuids) == sorted(uuids(half_a_day, 0, 8) + uuids(half_a_day, 9))
    assert "2026-03-04 08:00 UTC" in broken.errors[0]


def test_half_a_line_at_the_end_of_a_member_comes_once_it_is_whole(half_a_day: Emulator, clock: FakeClock) -> None:
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


def test_members_that_stay_broken_in_three_windows_in_a_row_end_the_stream(
    half_a_day: Emulator, clock: FakeClock
) -> None:
    half_a_day.faults.add("broken_member")

    broken = sync(half_a_day, clock, request_time_range=1, num_workers=1)

    assert "3 windows in a row failed with the same kind of error" in broken.errors[0]
    assert max(seen.query["start"] for seen in half_a_day.requests) == "20260304T03"


def test_states_are_a_second_apart_and_large_ones_half_a_minute(clock: FakeClock) -> None:
    pace = Pace(clock)
    allowed = []
    for state in ({}, {}, {"large": "x" * 20_000}, {}):
        pace.note(SavePoint(state))
        for seconds in (0.5, 0.5, 28.5, 0.5):
            clock.advance(seconds)
            allowed.append(pace.allows_a_state())

    small, large = [False, True, True, True], [False, False, False, True]
    assert allowed == small + small + large + small


def test_a_recheck_that_meets_a_broken_member_is_made_again(half_a_day: Emulator, clock: FakeClock) -> None:
    first = sync(half_a_day, clock)
    half_a_day.store.add_member(NOON.replace(hour=7), [b'{"uuid":"late"}'], partition=0)
    move_on(half_a_day, clock, timedelta(hours=40))
    half_a_day.faults.add("broken_member", hour=NOON.replace(hour=7), member=1)

    broken = sync(half_a_day, clock, first.states[-1])
    half_a_day.faults.clear()
    healed = sync(half_a_day, clock, broken.states[-1])

    assert broken.errors
    assert broken.uuids + healed.uuids == ["late"]


def test_no_line_of_a_damaged_member_is_emitted_even_if_the_damage_is_at_its_end(
    emulator: Emulator, clock: FakeClock
) -> None:
    lines = [b'{"uuid":"%d","pad":"%s"}' % (number, b"x" * 3000) for number in range(200)]
    emulator.store.add_member(NOON.replace(hour=6), lines, partition=0)
    good = emulator.store.read(emulator.store.members()[0].name) or b""
    emulator.store.put_gzip(NOON.replace(hour=6), 0, good[:-6] + bytes([good[-6] ^ 1]) + good[-5:])

    damaged = sync(emulator, clock)
    emulator.store.put_gzip(NOON.replace(hour=6), 0, good)
    mended = sync(emulator, clock, damaged.states[-1])

    assert damaged.uuids == []
    assert "cannot be unpacked" in damaged.errors[0]
    assert mended.uuids == [str(number) for number in range(200)]
    assert "rewritten" not in mended.warnings


def test_a_flaw_that_was_only_reported_fails_every_sync_once_the_policy_says_so(
    half_a_day: Emulator, clock: FakeClock
) -> None:
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, b'{"cut\n')
    reported = sync(half_a_day, clock, malformed_lines="report")

    failing = sync(half_a_day, clock, reported.states[-1], malformed_lines="fail")
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, b'{"uuid":"mended"}\n')
    mended = sync(half_a_day, clock, failing.states[-1], malformed_lines="fail")
    after = sync(half_a_day, clock, mended.states[-1], malformed_lines="fail")

    assert [bool(each.errors) for each in (reported, failing, mended, after)] == [True, True, False, False]
    assert (failing.uuids, mended.uuids, after.uuids) == ([], ["mended"], [])


def test_a_full_refresh_with_nothing_left_but_open_hours_says_so(half_a_day: Emulator, clock: FakeClock) -> None:
    state = sync(half_a_day, clock, mode="full_refresh").states[-1]

    again = sync(half_a_day, clock, state, mode="full_refresh")

    assert again.uuids == []
    assert "clear the stream's state" in again.warnings
