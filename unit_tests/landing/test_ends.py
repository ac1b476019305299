"""Runs with failures, lost and damaged files: what they land and report, and what the next run requests."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from source_amplitude.errors import StoreError
from source_amplitude.landing.destination import Destination, StoreLimits
from source_amplitude.landing.inventory import take_inventory
from source_amplitude.landing.store import Store
from source_amplitude.windows import DAY, HourWindow
from unit_tests.conftest import fill
from unit_tests.landing.program import HOURS, at, manifests_of, object_path, objects_of, oracle, read, states_of, stored
from unit_tests.peers.faults import FOREVER, S3_SLOW_DOWN, Answer

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer, Peer

UNTIL_EIGHT = ("--start", "2026-03-04", "--end", "2026-03-04T08", "--only-missing")
NEXT_STEP = (
    "Run the command again with --only-missing to land these hours. If an hour keeps failing, add it to accepted_gaps."
)


def damage(emulator: Emulator, *hours: int) -> set[str]:
    """Damage a member of each hour; return the paths of all objects of these hours."""
    for hour in hours:
        member = emulator.store.members(at(hour))[0]
        body = bytearray(read(emulator.store, member))
        body[len(body) // 2] ^= 0xFF
        emulator.store.put_gzip(at(hour), member.name.partition, bytes(body))
    return {object_path(member) for hour in hours for member in emulator.store.members(at(hour), at(hour + 1))}


def test_corrupt_hours_between_good_hours_do_not_end_the_run(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    fill(half_a_day, 3, 5)
    lost = damage(half_a_day, 1, 5, 7)

    landed = program.land(
        folder, "--start", "2026-03-04", "--end", "2026-03-04T10", num_workers=1, request_time_range=2
    )

    expected = {path: body for path, body in oracle(half_a_day.store).items() if path not in lost}
    assert {path: objects_of(stored(folder)).get(path) for path in expected} == expected
    assert {hour for hour, state in states_of(stored(folder)).items() if state == "failed"} == {"01", "05", "07"}
    assert (landed.exit_code, landed.problem.endswith(NEXT_STEP)) == (1, True)
    assert "7 hours done" in landed.summary
    assert "3 hours failed" in landed.summary


def test_windows_that_keep_failing_end_the_run(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    damage(half_a_day, 5, 6, 7)

    landed = program.land(folder, "--start", "2026-03-04T05", num_workers=1, request_time_range=1)

    assert (landed.exit_code, landed.problem.endswith(NEXT_STEP)) == (1, True)
    assert "3 hours failed" in landed.summary


def test_hour_deleted_at_amplitude_is_rechecked_once_per_age(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    program.land(folder)
    before = stored(folder)
    for member in half_a_day.store.members(at(6), at(7)):
        half_a_day.store.remove_member(at(6), member.name.partition)
    program.pass_time(hours=1)  # six hours after the hour's end

    runs = [program.land(folder, *UNTIL_EIGHT) for _ in range(2)]

    warning = "Amplitude no longer has files for 2026-03-04 06:00 UTC; the landed objects stay."
    assert [run.warnings for run in runs] == [[warning], []]
    assert objects_of(stored(folder)) == objects_of(before)


def test_damaged_object_is_replaced_with_its_own_warning(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder)
    path = object_path(half_a_day.store.members(at(5))[0])
    size = len(stored(folder)[path])
    program.folder.joinpath("landed", path).write_bytes(b"x")

    landed = program.land(folder, *UNTIL_EIGHT)

    name = path.rpartition("/")[2]
    assert landed.warnings == [
        f"Replaced {name} of 2026-03-04 05:00 UTC: it had 1 bytes in the store instead of {size:,}."
    ]
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_run_ended_by_the_store_reports_its_landed_hours(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer
) -> None:
    faulty_s3.front.inject(Answer(503, S3_SLOW_DOWN.body), method="PUT", path="_manifest/.*hour=00", times=FOREVER)

    landed = program.land(faulty_s3, num_workers=1)

    faulty_s3.front.clear()
    done = [hour for hour, state in states_of(stored(faulty_s3)).items() if state == "done"]
    assert landed.exit_code == 1
    assert 2 <= len(done) < len(half_a_day.store.members())
    assert f"; {len(done)} hours done with {40 * len(done)} events" in landed.summary


@pytest.mark.usefixtures("half_a_day")
@pytest.mark.parametrize("more", [(), ("--end", "2026-03-06")])
def test_future_hours_are_not_expected(program: Program, folder: Peer, more: tuple[str, ...]) -> None:
    program.land(folder)

    missing = program.missing(folder, "--start", "2026-03-05", *more)

    advice = "Use an earlier --start; the newest expected hour is 2026-03-04 09:00 UTC."
    said = f"No hour from 2026-03-05 00:00 UTC on is expected yet. {advice}"
    assert (missing.exit_code, missing.problem) == (3, said)


def test_manifest_counts_event_types_over_all_objects(emulator: Emulator, program: Program, folder: Peer) -> None:
    for partition in (1, 2):  # the hour's most frequent type is not in the top 100 of either object
        rare = [{"event_type": f"{partition} {number:03}"} for number in range(100)]
        emulator.store.add_member(at(5), [*rare, *rare, {"event_type": "x"}, {"event_type": "x"}], partition=partition)

    program.land(folder, *HOURS, "--event-types")

    event_types = manifests_of(stored(folder))["2026-03-04T05"]["event_types"]
    assert list(event_types.items())[:2] == [("x", 4), ("1 000", 2)]
    assert len(event_types) == 100


class FailingStore(Store):
    """Fails every request after a moment, and counts the requests."""

    requests = 0
    pause = threading.Event()

    def sizes(self, folder: str) -> dict[str, int]:
        self.requests += 1
        self.pause.wait(0.02)
        raise StoreError(f"{folder} cannot be listed.")


def test_failing_store_is_not_listed_for_every_day(tmp_path: Path) -> None:
    store = FailingStore(Destination("file", "", str(tmp_path)), StoreLimits(), create=True)
    start = datetime(2025, 1, 1, tzinfo=timezone.utc)

    with pytest.raises(StoreError):
        take_inventory(store, HourWindow(start, start + DAY * 365), (), look_around=False)

    assert store.requests < 64
