"""Two first landings at once in one destination: objects of one format and one project only."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import pytest
from filelock import FileLock

from unit_tests.landing.program import (
    HOURS,
    Ended,
    at,
    ended,
    manifests_of,
    objects_of,
    oracle,
    place_of,
    stored,
)
from unit_tests.peers.faults import Do

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer, Peer

PLACE = "_manifest/place.json"
RAW = {"version": 1, "format": "raw", "project": "100200"}
DELETE = f"If the destination does not contain any objects, delete its {PLACE} instead."
NINE = ("--start", "2026-03-04T09", "--end", "2026-03-04T10")


@pytest.fixture
def other_keys(half_a_day: Emulator, program: Program) -> str:
    """The configuration of another project, which has one event in hour nine."""
    other = half_a_day.add_project()
    half_a_day.store_of(other).add_member(at(9), [{"uuid": "theirs"}])
    return program.config("other.json", api_key=other.api_key, secret_key=other.secret_key)


def suffixes(content: dict[str, bytes]) -> set[str]:
    return {path.partition(".")[2] for path in objects_of(content)}


def test_run_of_another_format_that_comes_second_fails(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer
) -> None:
    """The other run lands everything just before the marker of this run reaches the store."""
    others = list[Ended]()
    every_faulty_cloud.front.inject(
        Do(lambda: others.append(ended(program.start(every_faulty_cloud)))), method="PUT", path=PLACE
    )

    second = program.land(every_faulty_cloud, *HOURS, "--format", "jsonl")

    content = stored(every_faulty_cloud)
    assert ([each.exit_code for each in others], second.exit_code) == ([0], 1)
    assert second.problem == (
        f"{every_faulty_cloud.url} is used for raw files. No object was written. "
        f"Use --format raw, or another --to. {DELETE}"
    )
    assert objects_of(content) == oracle(half_a_day.store)
    assert place_of(content) == RAW
    assert program.missing(every_faulty_cloud).exit_code == 0
    assert program.land(every_faulty_cloud).exit_code == 0


def test_run_of_another_project_that_comes_second_fails(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer, other_keys: str
) -> None:
    others = list[Ended]()
    every_faulty_cloud.front.inject(
        Do(lambda: others.append(ended(program.start(every_faulty_cloud, *NINE, config=other_keys)))),
        method="PUT",
        path=PLACE,
    )

    second = program.land(every_faulty_cloud)

    content = stored(every_faulty_cloud)
    theirs = place_of(content)
    assert theirs is not None
    assert ([each.exit_code for each in others], second.exit_code) == ([0], 1), second.stderr
    assert second.problem == (
        f"{every_faulty_cloud.url} belongs to project {theirs['project']}, but these keys are for project 100200. "
        f"No object was written. Use one folder per project. {DELETE}"
    )
    assert [manifest["project"] for manifest in manifests_of(content).values()] == [theirs["project"]]
    assert len(objects_of(content)) == 1
    assert not set(objects_of(content)) & set(oracle(half_a_day.store))


def test_second_run_completes_the_marker_of_the_first(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer, other_keys: str
) -> None:
    """The marker has no project yet; both runs complete it, and one does so first."""
    obstore.put(every_faulty_cloud.store(), PLACE, b'{"version": 1, "format": "raw", "project": null, "rules": [5]}')
    others = list[Ended]()
    every_faulty_cloud.front.inject(
        Do(lambda: others.append(ended(program.start(every_faulty_cloud, *HOURS)))), method="PUT", path=PLACE
    )

    second = program.run("land", every_faulty_cloud, "--config", other_keys, *NINE)

    content = stored(every_faulty_cloud)
    assert ([each.exit_code for each in others], second.exit_code) == ([0], 1), second.stderr
    assert second.problem.startswith(f"{every_faulty_cloud.url} belongs to project 100200, but ")
    assert objects_of(content) == oracle(half_a_day.store)
    assert place_of(content) == {**RAW, "rules": [5]}


def wait_for_the_lock(run: subprocess.Popen[str]) -> None:
    """Wait until a run reports that it waits for the lock of its folder."""
    assert run.stderr is not None
    for line in run.stderr:
        if "Waiting up to 10 minutes for another process that has locked " in line:
            return
    pytest.fail("the run did not wait for the lock")


@pytest.mark.parametrize("kind", ["format", "project"])
def test_one_of_two_waiting_runs_claims_a_folder(
    half_a_day: Emulator, program: Program, folder: Peer, other_keys: str, kind: str
) -> None:
    lock = Path(folder.url) / "_manifest" / ".lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        if kind == "format":
            runs = [program.start(folder, *NINE), program.start(folder, *NINE, "--format", "jsonl")]
        else:
            runs = [program.start(folder, *NINE), program.start(folder, *NINE, config=other_keys)]
        for run in runs:
            wait_for_the_lock(run)
        written = objects_of(stored(folder))
    results = [ended(run) for run in runs]

    content = stored(folder)
    raw = oracle(half_a_day.store, at(9))
    (loser,) = (each for each in results if each.exit_code)
    assert (written, sorted(each.exit_code for each in results)) == ({}, [0, 1])
    assert loser.problem.startswith((f"{folder.url} is used for ", f"{folder.url} belongs to project "))
    assert (objects_of(content) == raw) == (results[0].exit_code == 0)
    assert len(suffixes(content)) == len({manifest["project"] for manifest in manifests_of(content).values()}) == 1


@pytest.mark.parametrize("format_", ["jsonl", "json"])
def test_signal_ends_the_wait_for_a_folder_at_once(program: Program, folder: Peer, format_: str) -> None:
    lock = Path(folder.url) / "_manifest" / ".lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        run = program.start(folder, *NINE, "--format", format_)
        wait_for_the_lock(run)
        run.send_signal(signal.SIGTERM)
        stopped = ended(run)

    assert (stopped.exit_code, objects_of(stored(folder))) == (143, {})
    assert stopped.problem == "Stopped. Progress is saved; run the same command to continue."


@pytest.fixture
def killed_after_the_marker(half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer) -> FaultyPeer:
    """A destination whose first run was killed between its marker and its first object."""
    assert half_a_day.store.members()
    runs = list[subprocess.Popen[str]]()

    def kill() -> None:
        runs[0].kill()
        runs[0].wait()
        raise ConnectionAbortedError  # so that the request is not forwarded

    every_faulty_cloud.front.inject(Do(kill), method="PUT", path="events/")
    runs.append(program.start(every_faulty_cloud, *NINE, "--format", "jsonl"))
    assert ended(runs[0]).exit_code == -signal.SIGKILL
    assert list(stored(every_faulty_cloud)) == [PLACE]
    return every_faulty_cloud


def test_killed_first_run_is_continued(program: Program, killed_after_the_marker: FaultyPeer) -> None:
    missing = program.missing(killed_after_the_marker)
    landed = program.land(killed_after_the_marker, *HOURS, "--format", "jsonl")

    assert (missing.exit_code, len(missing.hours), "--format jsonl" in missing.stderr) == (1, 10, True)
    assert (landed.exit_code, program.missing(killed_after_the_marker).exit_code) == (0, 0)
    assert suffixes(stored(killed_after_the_marker)) == {"jsonl.gz"}


def test_folder_with_only_a_marker_is_continued(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    obstore.put(folder.store(), PLACE, json.dumps(RAW).encode())

    parquet = program.land(folder, *HOURS, "--format", "parquet")
    left = stored(folder)
    landed = program.land(folder)

    assert (parquet.exit_code, list(left), landed.exit_code) == (1, [PLACE], 0)
    assert objects_of(stored(folder)) == oracle(half_a_day.store)
    assert stored(folder)[PLACE] == left[PLACE]


def test_killed_first_run_keeps_other_runs_out(
    program: Program, killed_after_the_marker: FaultyPeer, other_keys: str
) -> None:
    peer = killed_after_the_marker

    raw = program.land(peer, *HOURS, "--format", "raw")
    foreign = program.run("land", peer, "--config", other_keys, *NINE, "--format", "jsonl")
    left = stored(peer)
    obstore.delete(peer.store(), PLACE)
    again = program.land(peer)

    assert (raw.exit_code, foreign.exit_code, list(left), again.exit_code) == (1, 1, [PLACE], 0)
    assert raw.problem.startswith(f"{peer.url} is used for jsonl files. ")
    assert raw.problem.endswith(DELETE)
    assert foreign.problem.startswith(f"{peer.url} belongs to project 100200, but these keys are for another project. ")
    assert place_of(stored(peer)) == RAW
