"""Two concurrent landings of the same hours lose nothing, in any order of requests and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.landing.program import HOURS, at, ended, objects_of, oracle, read, states_of, stored
from unit_tests.peers.faults import Do

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer, Peer

NINE = ("--start", "2026-03-04T09", "--end", "2026-03-04T10")


@pytest.fixture(params=["folder", "s3"])
def destination(request: pytest.FixtureRequest) -> Peer:
    peer: Peer = request.getfixturevalue(request.param)
    return peer


def test_two_concurrent_runs_land_everything(half_a_day: Emulator, program: Program, destination: Peer) -> None:
    half_a_day.faults.add("prepare", seconds=0.1)

    runs = [program.start(destination, *HOURS), program.start(destination, *HOURS)]
    codes = [ended(run).exit_code for run in runs]

    assert codes == [0, 0]
    assert objects_of(stored(destination)) == oracle(half_a_day.store)
    assert states_of(stored(destination)) == {f"{hour:02}": "open" if hour in (3, 4) else "done" for hour in range(10)}
    assert program.missing(destination).exit_code == 0


def test_next_run_completes_two_runs_over_growing_hours(
    half_a_day: Emulator, program: Program, destination: Peer
) -> None:
    half_a_day.faults.add("prepare", seconds=0.1)
    runs = [program.start(destination, *HOURS)]
    for hour in (0, 1, 2, 5, 6, 7, 8, 9):
        half_a_day.store.append_lines(
            at(hour), half_a_day.store.members(at(hour))[0].name.partition, [{"uuid": "grown"}]
        )
        half_a_day.store.add_member(at(hour), [{"uuid": "late"}], partition=9000)
        if hour == 2:
            runs.append(program.start(destination, *HOURS))

    codes = [ended(run).exit_code for run in runs]
    missing = program.missing(destination)
    last = program.land(destination)

    assert codes == [0, 0]
    assert missing.hours == {}
    assert last.exit_code == 0
    assert objects_of(stored(destination)) == oracle(half_a_day.store)


def grow(emulator: Emulator) -> None:
    """Change the first member of hour nine without changing its size, and add a member."""
    member = emulator.store.members(at(9))[0]
    body = bytearray(read(emulator.store, member))
    body[4:8] = b"\x01\x02\x03\x04"  # the time in the gzip header
    emulator.store.put_gzip(at(9), member.name.partition, bytes(body))
    emulator.store.add_member(at(9), [{"uuid": "late"}], partition=9000)


@pytest.mark.parametrize(
    "seconds", [0, pytest.param(1, marks=pytest.mark.landing)], ids=["in the same second", "a second later"]
)
@pytest.mark.parametrize(
    ("method", "path", "skip"),
    [
        ("PUT", "events/", 0),
        ("PUT", "events/", 1),
        ("PUT", "_manifest/", 0),
    ],
    ids=["before the first object", "between two objects", "before the manifest"],
)
def test_run_that_overtakes_another_run_wins(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer, method: str, path: str, skip: int, seconds: int
) -> None:
    """Amplitude's files change after the request of the first run, and a second run lands them."""
    codes = []

    def overtake() -> None:
        grow(half_a_day)
        program.pass_time(seconds=seconds)
        codes.append(ended(program.start(faulty_s3, *NINE)).exit_code)

    faulty_s3.front.inject(Do(overtake), method=method, path=path, skip=skip)
    first = program.land(faulty_s3, *NINE, num_workers=1)

    assert (codes, first.exit_code) == ([0], 0), first.stderr
    assert program.missing(faulty_s3, *NINE).stdout == ""
    assert objects_of(stored(faulty_s3)) == oracle(half_a_day.store, at(9))
