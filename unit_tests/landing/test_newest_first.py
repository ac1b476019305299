"""`land` with ``backfill_order``: the order of the requests, and the same result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.landing.program import HOURS, at, objects_of, oracle, states_of, stored

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer

NEWEST = [f"20260304T{hour:02}" for hour in (8, 6, 4, 2, 0)]


@pytest.mark.parametrize(
    ("order", "expected"), [("newest-first", NEWEST), ("newest_first", NEWEST), ("oldest_first", NEWEST[::-1])]
)
def test_land_requests_hours_in_the_order(
    half_a_day: Emulator, program: Program, folder: Peer, order: str, expected: list[str]
) -> None:
    landed = program.land(folder, backfill_order=order, request_time_range=2, num_workers=1)

    windows = [(seen.query["start"], seen.query["end"]) for seen in half_a_day.requests if seen.status == 200]
    content = stored(folder)
    assert landed.exit_code == 0, landed.stderr
    assert [start for start, _ in windows] == expected
    assert objects_of(content) == oracle(half_a_day.store)
    assert states_of(content) == {f"{hour:02}": "open" if hour in (3, 4) else "done" for hour in range(10)}


def test_a_changed_order_requests_nothing_again(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("server_error", hour=at(5))
    first = program.land(folder, backfill_order="newest_first", request_time_range=1)
    half_a_day.faults.clear()
    half_a_day.clear_requests()

    second = program.land(folder, *HOURS, "--only-missing", backfill_order="oldest_first", request_time_range=1)

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert [seen.query["start"] for seen in half_a_day.requests if seen.status == 200] == ["20260304T05"]
    assert objects_of(stored(folder)) == oracle(half_a_day.store)
