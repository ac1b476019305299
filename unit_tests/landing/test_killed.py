"""Landings that are killed or stopped at any moment leave no partial objects and lose nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from unit_tests.landing.program import HOURS, ended, manifests_of, objects_of, oracle, stored
from unit_tests.peers.faults import FOREVER, Do, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _pytest.mark import ParameterSet

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer, Peer

ALL_HOURS = {f"2026-03-04T{hour:02}" for hour in range(10)}


def assert_complete_or_missing(content: Mapping[str, bytes], members: Mapping[str, bytes], missing: set[str]) -> None:
    """Check that all objects are complete, and that the hours of all other members are reported as missing."""
    objects = objects_of(content)
    assert objects == {path: members[path] for path in objects}
    absent_hours = {path.split("/")[1][5:] + "T" + path.split("/")[2][5:] for path in members.keys() - objects.keys()}
    assert absent_hours <= missing
    assert ALL_HOURS - missing == manifests_of(content).keys()


def end(runs: list[subprocess.Popen[str]], how: signal.Signals) -> None:
    """Send a signal to the run; it starts after this fault was injected."""
    runs[0].send_signal(how)


def rarely(*values: int) -> list[ParameterSet]:
    """Return cases that only `make test-landing` runs."""
    return [pytest.param(value, marks=pytest.mark.landing) for value in values]


@pytest.mark.parametrize("skip", [2, 37, *rarely(0, 1, 3, 4, 6, 9, 13, 20, 28, 33, 41)])
def test_next_run_completes_a_run_killed_at_any_write(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer, skip: int
) -> None:
    peer, runs = faulty_s3, list[subprocess.Popen[str]]()
    peer.front.inject(Do(lambda: end(runs, signal.SIGKILL)), method="PUT", skip=skip)

    runs.append(program.start(peer))
    killed = ended(runs[0])
    left, missing = stored(peer), program.missing(peer)
    rest = program.land(peer, *HOURS, "--only-missing")

    assert killed.exit_code == -signal.SIGKILL
    assert_complete_or_missing(left, oracle(half_a_day.store), set(missing.hours))
    assert (rest.exit_code, program.missing(peer).exit_code) == (0, 0)
    assert objects_of(stored(peer)) == oracle(half_a_day.store)


@pytest.mark.parametrize("files", [7, *rarely(1, 2, 3, 5, 11, 17, 23, 29)])
def test_next_run_completes_a_killed_run_in_a_folder(
    half_a_day: Emulator, program: Program, folder: Peer, files: int
) -> None:
    half_a_day.faults.add("prepare", seconds=0.05)
    destination = program.folder / "landed"

    run = program.start(folder, *HOURS)
    while run.poll() is None and len(list(destination.rglob("*.gz"))) < files:
        time.sleep(0.001)  # noqa: TID251 - the other process does not use our fake clock
    run.kill()
    ended(run)
    left, visible = stored(folder), [path for path in destination.rglob("*.gz") if path.is_file()]
    missing = program.missing(folder)
    rest = program.land(folder)

    assert len(visible) == len(objects_of(left)) >= files
    assert_complete_or_missing(left, oracle(half_a_day.store), set(missing.hours))
    assert (rest.exit_code, program.missing(folder).exit_code) == (0, 0)
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_stopped_landing_keeps_the_done_hours(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer, how: signal.Signals
) -> None:
    runs = list[subprocess.Popen[str]]()
    faulty_s3.front.inject(Do(lambda: end(runs, how)), method="PUT", path="_manifest/date=", skip=2)
    half_a_day.faults.add("prepare", seconds=0.1)

    runs.append(program.start(faulty_s3))
    stopped = ended(runs[0])
    left, missing = stored(faulty_s3), program.missing(faulty_s3)
    rest = program.land(faulty_s3, *HOURS, "--only-missing")

    assert stopped.exit_code == 128 + how
    assert stopped.problem == "Stopped. Progress is saved; run the same command to continue."
    assert stopped.stdout.count("\n") == 1
    assert len(manifests_of(left)) >= 3
    assert_complete_or_missing(left, oracle(half_a_day.store), set(missing.hours))
    assert rest.exit_code == 0
    assert objects_of(stored(faulty_s3)) == oracle(half_a_day.store)


def test_second_signal_ends_a_run_that_waits_for_the_store(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer
) -> None:
    runs = list[subprocess.Popen[str]]()
    faulty_s3.front.inject(Do(lambda: end(runs, signal.SIGTERM)), method="GET")
    faulty_s3.front.inject(Wait(4), method="GET", times=FOREVER)

    runs.append(program.start(faulty_s3))
    while not faulty_s3.front.requests and runs[0].poll() is None:
        time.sleep(0.01)  # noqa: TID251 - as above
    time.sleep(0.3)  # noqa: TID251 - as above
    waits = runs[0].poll() is None
    end(runs, signal.SIGTERM)
    began = time.monotonic()
    code = ended(runs[0]).exit_code

    assert (waits, code) == (True, 143)
    assert time.monotonic() - began < 2
    assert half_a_day.requests == []


def test_killed_landing_leaves_no_temporary_file(half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer) -> None:
    half_a_day.faults.add("slow_drip", bytes_per_second=20_000)
    runs = list[subprocess.Popen[str]]()
    faulty_s3.front.inject(Do(lambda: end(runs, signal.SIGKILL)), method="PUT")

    runs.append(program.start(faulty_s3))
    ended(runs[0])

    assert [path.name for path in program.folder.rglob("*") if path.is_file()] == ["config.json"]


def test_staged_files_of_a_killed_run_are_ignored(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder)
    objects = sorted((program.folder / "landed").rglob("*.gz"))
    staged = [path.with_name(f"{path.name}#1") for path in objects]
    for path, mine in zip(objects, staged, strict=True):
        mine.write_bytes(b"half of")
        path.unlink()

    missing = program.missing(folder)
    landed = program.land(folder)

    assert set(missing.hours.values()) == {"short"}
    assert landed.exit_code == 0
    assert objects_of(stored(folder)) == oracle(half_a_day.store)
