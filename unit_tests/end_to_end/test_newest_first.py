"""The newest hours come first on request, and the order can change between syncs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unit_tests.end_to_end.connector import sync

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
