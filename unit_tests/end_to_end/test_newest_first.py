"""The newest hours come first on request, and the order can change between syncs."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

from unit_tests.end_to_end.connector import sync
from unit_tests.end_to_end.test_interruptions import (
    before_and_after_the_last_state,
    interrupted,
    stored_uuids,
    uuids_of,
)

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector


def test_newest_hours_come_first_and_resume_in_order(half_a_day: Emulator, connector: Connector) -> None:
    run = connector.read(backfill_order="newest-first", request_time_range=2)
    hours = list(dict.fromkeys(record["server_upload_time"][:13] for record in run.records))
    again = sync(connector, run.states[-1], backfill_order="oldest_first")

    assert hours == [f"2026-03-04T{hour:02}" for hour in (9, 8, 7, 6, 5, 2, 1, 0)]
    assert sorted(record["uuid"] for record in run.records) == sorted(str(e["uuid"]) for e in half_a_day.store.events())
    assert again.uuids == []


def test_killed_reads_in_both_orders_are_completed(half_a_day: Emulator, connector: Connector) -> None:
    chance = random.Random(20260304)
    half_a_day.faults.add("prepare", seconds=0.3)  # slow, so that states (at most one a second) come between the hours
    state: object = None
    kept: list[str] = []

    for order in ("newest_first", "oldest_first", "newest_first"):
        arguments = connector.reading(state, request_time_range=1, num_workers=1, backfill_order=order)
        run = interrupted(connector, arguments, signal.SIGKILL, chance.randint(60, 200))
        before, _, new_state = before_and_after_the_last_state(run)
        kept += before
        state = new_state or state
    half_a_day.faults.clear()
    rest = connector.read(state, backfill_order="newest_first")

    assert rest.exit_code == 0, rest.logs
    assert sorted(kept + uuids_of(rest)) == stored_uuids(half_a_day)
