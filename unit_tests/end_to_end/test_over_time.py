"""Weeks of syncs through the command line: late hours, silence, repairs, outages; no gaps, no duplicates."""

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
from unit_tests.end_to_end.connector import sync

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

HOUR = timedelta(hours=1)


def uuids(emulator: Emulator, first_hour: int = 0, end_hour: int = 12) -> list[str]:
    """Return the sorted uuids of the events stored in these hours of the day."""
    start, end = NOON.replace(hour=first_hour), NOON.replace(hour=end_hour)
    return sorted(str(event["uuid"]) for event in emulator.store.events(start, end))


MALFORMED = b'{"uuid":"before","server_upload_time":"2026-03-04 06:00:00.000000"}\n{"cut": "of\n'


@pytest.mark.parametrize(
    ("late_hours", "syncs_until_then"),
    [(1, 1), pytest.param(12, 3, marks=pytest.mark.long), pytest.param(24, 6, marks=pytest.mark.long)],
)
def test_an_hour_published_a_day_late_is_not_lost(
    half_a_day: Emulator, connector: Connector, late_hours: int, syncs_until_then: int
) -> None:
    late = NOON.replace(hour=5)
    half_a_day.store.publish_at(late, late + HOUR * (3 + late_hours))
    state: dict[str, Any] | None = None
    emitted: list[str] = []

    for _ in range(syncs_until_then + 2):
        result = sync(connector, state)
        state, emitted = result.states[-1], emitted + result.uuids
        half_a_day.clock.advance(timedelta(hours=4))

    assert sorted(emitted) == uuids(half_a_day)


def test_a_silent_project_needs_few_requests(half_a_day: Emulator, connector: Connector) -> None:
    state = sync(connector).states[-1]
    half_a_day.clock.advance(timedelta(weeks=5))
    state = sync(connector, state).states[-1]
    half_a_day.clear_requests()
    asleep = sync(connector, state)
    requests_while_asleep = len(half_a_day.requests)
    awake = NOON + timedelta(weeks=5, hours=-20)
    generate_hours(half_a_day.store, seed=3, start=awake, end=awake + 2 * HOUR, total_events=50)

    woken = sync(connector, asleep.states[-1])
    again = sync(connector, woken.states[-1])

    new = sorted(str(event["uuid"]) for event in half_a_day.store.events(awake))
    assert asleep.uuids == []
    assert requests_while_asleep == 2  # the credential check, and one request for all open hours
    assert sorted(woken.uuids) == new
    assert again.uuids == []


def test_a_recompressed_member_is_skipped_a_rewritten_one_read(half_a_day: Emulator, connector: Connector) -> None:
    first = sync(connector)
    for member in half_a_day.store.members(NOON.replace(hour=7), NOON.replace(hour=8)):
        half_a_day.store.recompress(NOON.replace(hour=7), member.name.partition)
    rewritten = half_a_day.store.members(NOON.replace(hour=8), NOON.replace(hour=9))[0]
    event = json.loads(half_a_day.store.lines(NOON.replace(hour=8), NOON.replace(hour=9))[0])
    half_a_day.store.rewrite_lines(NOON.replace(hour=8), rewritten.name.partition, [event | {"uuid": "rewritten"}])
    half_a_day.clock.advance(timedelta(hours=4))

    second = sync(connector, first.states[-1])
    third = sync(connector, second.states[-1])

    assert (second.uuids, third.uuids) == (["rewritten"], [])
    assert f"Amplitude has rewritten the member {rewritten.name} of 2026-03-04 08:00 UTC" in second.warnings


def test_a_full_refresh_does_not_recheck_hours(half_a_day: Emulator, connector: Connector) -> None:
    state = sync(connector, mode="full_refresh").states[-1]
    half_a_day.store.add_member(NOON.replace(hour=7), [b'{"uuid":"late"}'], partition=9999)
    half_a_day.clock.advance(timedelta(hours=4))

    resumed = sync(connector, state, mode="full_refresh", end_date="2026-03-04T10:00:00Z")

    assert resumed.uuids == []


def test_an_outage_during_a_backfill_ends_the_stream_soon(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.faults.add("forbidden", path="/never")
    sync(connector)
    half_a_day.clear_requests()
    half_a_day.faults.add(
        "server_error", path="/api/2/export", hour=datetime.fromisoformat("2025-06-01T00:00:00+00:00")
    )
    for hour in range(1, 40):
        day = datetime.fromisoformat("2025-06-01T00:00:00+00:00") + HOUR * 24 * hour
        half_a_day.faults.add("server_error", path="/api/2/export", hour=day)

    outage = sync(connector, start_date="2025-05-25T00:00:00Z", request_time_range=24, num_workers=1)

    requested = [seen.query["start"] for seen in half_a_day.requests]
    assert "3 windows in a row failed with the same kind of error" in outage.errors[0]
    assert max(requested) <= "20250604T00"
    assert len(requested) <= 1 + 7 + 3 * 4


@pytest.mark.parametrize(
    ("policy", "first_fails", "second_fails"), [("report", True, False), ("fail", True, True), ("skip", False, False)]
)
def test_a_malformed_line_follows_the_policy(
    half_a_day: Emulator, connector: Connector, policy: str, *, first_fails: bool, second_fails: bool
) -> None:
    everything = uuids(half_a_day)
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, MALFORMED)

    first = sync(connector, malformed_lines=policy)
    second = sync(connector, first.states[-1], malformed_lines=policy)

    where = "2026-03-04 06:00 UTC, member 100200/100200_2026-03-04_6#5000.json.gz"
    assert sorted(first.uuids) == sorted([*everything, "before"])
    assert second.uuids == []
    assert [bool(first.errors), bool(second.errors)] == [first_fails, second_fails]
    assert not first_fails or f"1 line is not a JSON object: {where}, line 2." in first.errors[0]
    assert not second_fails or where in second.errors[0]
    assert "100200/100200_2026-03-04_6#5000.json.gz" in second.warnings
    assert "cut" not in first.warnings + second.warnings + "".join(first.errors + second.errors)


def test_a_fixed_malformed_line_is_read_with_its_member(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, MALFORMED)
    first = sync(connector, malformed_lines="fail")
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, MALFORMED.replace(b'{"cut": "of', b'{"uuid":"fixed"}'))

    second = sync(connector, first.states[-1], malformed_lines="fail")
    third = sync(connector, second.states[-1], malformed_lines="fail")

    assert (second.uuids, second.errors) == (["before", "fixed"], [])
    assert (third.uuids, third.errors) == ([], [])


def test_upstream_reads_our_state_and_we_read_its_state(half_a_day: Emulator, connector: Connector) -> None:
    ours = sync(connector, end_date="2026-03-04T06:00:00Z").states[-1]
    converter = CustomFormatConcurrentStreamStateConverter(
        datetime_format="%Y%m%dT%H", is_sequential_state=True, cursor_granularity=HOUR
    )
    cursor = CursorField("server_upload_time")

    _, theirs = converter.convert_from_sequential_state(cursor, ours, NOON - timedelta(days=9))
    theirs["slices"][-1] |= {"end": NOON, "most_recent_cursor_value": NOON.replace(hour=9)}
    upstream_state = dict(converter.convert_to_state_message(cursor, theirs))
    back = sync(connector, upstream_state)

    assert upstream_state["server_upload_time"] == "20260304T09"
    assert upstream_state["ledger"] == ours["ledger"]
    assert "another version of this source ran in between" in back.warnings
    assert sorted(back.uuids) == uuids(half_a_day, 4)


def test_a_state_is_small(emulator: Emulator, connector: Connector) -> None:
    fill(emulator, 0, 10, events_per_hour=60)

    many = sync(connector, request_time_range=1)

    assert max(len(json.dumps(state)) for state in many.states) < 5_000
