"""How runs end that meet failures, losses and damage: what they land, what they say, what the next one asks for."""

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
AGAIN = (
    "Run the command again with --only-missing: it asks for these hours. An hour that will never heal can be named in "
    "accepted_gaps."
)


def damage(emulator: Emulator, *hours: int) -> set[str]:
    """Damage a member of each hour; return where these hours' members would be landed."""
    for hour in hours:
        member = emulator.store.members(at(hour))[0]
        body = bytearray(read(emulator.store, member))
        body[len(body) // 2] ^= 0xFF
        emulator.store.put_gzip(at(hour), member.name.partition, bytes(body))
    return {object_path(member) for hour in hours for member in emulator.store.members(at(hour), at(hour + 1))}


def test_a_broken_hour_in_every_window_does_not_end_the_run_since_hours_between_them_succeed(
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
    assert (landed.exit_code, landed.problem.endswith(AGAIN)) == (1, True)
    assert "7 hours done" in landed.summary
    assert "3 hours failed" in landed.summary


def test_windows_that_keep_failing_end_the_run_with_the_advice_for_landings(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    damage(half_a_day, 5, 6, 7)

    landed = program.land(folder, "--start", "2026-03-04T05", num_workers=1, request_time_range=1)

    assert (landed.exit_code, landed.problem.endswith(AGAIN)) == (1, True)
    assert "3 hours failed" in landed.summary


def test_an_hour_that_amplitude_has_no_more_is_asked_for_again_once_an_age_and_not_by_every_run(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    program.land(folder)
    before = stored(folder)
    for member in half_a_day.store.members(at(6), at(7)):
        half_a_day.store.remove_member(at(6), member.name.partition)
    program.pass_time(hours=1)  # six hours after the hour's end

    runs = [program.land(folder, *UNTIL_EIGHT) for _ in range(2)]

    gone = ["Amplitude has no files for 2026-03-04 06:00 UTC any more; what was landed stays."]
    assert [run.warnings for run in runs] == [gone, []]
    assert objects_of(stored(folder)) == objects_of(before)


def test_an_object_that_was_damaged_in_the_store_is_not_called_changed_at_amplitude(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    program.land(folder)
    path = object_path(half_a_day.store.members(at(5))[0])
    size = len(stored(folder)[path])
    program.folder.joinpath("landed", path).write_bytes(b"x")

    landed = program.land(folder, *UNTIL_EIGHT)

    name = path.rpartition("/")[2]
    assert landed.warnings == [
        f"{name} of 2026-03-04 05:00 UTC had 1 bytes in the store, {size:,} were landed: replaced."
    ]
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_a_run_that_the_store_ends_says_what_it_landed_before(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer
) -> None:
    faulty_s3.front.inject(Answer(503, S3_SLOW_DOWN.body), method="PUT", path="_manifest/.*hour=00", times=FOREVER)

    landed = program.land(faulty_s3, num_workers=1)

    faulty_s3.front.heal()
    done = [hour for hour, state in states_of(stored(faulty_s3)).items() if state == "done"]
    assert landed.exit_code == 1
    assert 2 <= len(done) < len(half_a_day.store.members())
    assert f"; {len(done)} hours done with {40 * len(done)} events" in landed.summary


@pytest.mark.usefixtures("half_a_day")
@pytest.mark.parametrize("more", [(), ("--end", "2026-03-06")])
def test_hours_that_cannot_be_expected_yet_are_called_that_whatever_end_is_named(
    program: Program, folder: Peer, more: tuple[str, ...]
) -> None:
    program.land(folder)

    missing = program.missing(folder, "--start", "2026-03-05", *more)

    advice = "Use an earlier --start; the newest expected hour is 2026-03-04 09:00 UTC."
    said = f"No hour from 2026-03-05 00:00 UTC on is expected yet. {advice}"
    assert (missing.exit_code, missing.problem) == (1, said)


def test_a_manifest_has_the_most_frequent_types_of_its_hour_counted_over_all_its_objects(
    emulator: Emulator, program: Program, folder: Peer
) -> None:
    for partition in (1, 2):  # what is frequent in the hour is not among the hundred of either object
        rare = [{"event_type": f"{partition} {number:03}"} for number in range(100)]
        emulator.store.add_member(at(5), [*rare, *rare, {"event_type": "x"}, {"event_type": "x"}], partition=partition)

    program.land(folder, *HOURS, "--event-types")

    event_types = manifests_of(stored(folder))["2026-03-04T05"]["event_types"]
    assert list(event_types.items())[:2] == [("x", 4), ("1 000", 2)]
    assert len(event_types) == 100


class DownFromNow(Store):
    """Fails every request, each of which takes a moment, and counts them."""

    requests = 0
    pause = threading.Event()

    def sizes(self, folder: str) -> dict[str, int]:
        self.requests += 1
        self.pause.wait(0.02)
        raise StoreError(f"{folder} cannot be listed.")


def test_a_store_that_goes_away_is_not_asked_for_every_day_of_a_year(tmp_path: Path) -> None:
    store = DownFromNow(Destination("file", "", str(tmp_path)), StoreLimits(), create=True)
    start = datetime(2025, 1, 1, tzinfo=timezone.utc)

    with pytest.raises(StoreError):
        take_inventory(store, HourWindow(start, start + DAY * 365), (), look_around=False)

    assert store.requests < 64
