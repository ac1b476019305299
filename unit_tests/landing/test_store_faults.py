"""Faults of stores: busy, access denied, lost responses, broken connections; full disks and read-only folders."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import obstore
import pytest

from unit_tests.landing.program import (
    HOURS,
    PROJECT,
    at,
    ended,
    manifests_of,
    object_path,
    objects_of,
    oracle,
    read,
    states_of,
    stored,
)
from unit_tests.peers.faults import (
    AZURE_NOT_AUTHORIZED,
    FOREVER,
    S3_ACCESS_DENIED,
    S3_EXPIRED_TOKEN,
    S3_SLOW_DOWN,
    Answer,
    CutAnswer,
    CutRequest,
    Do,
    LoseAnswer,
    xml_error,
)
from unit_tests.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.faults import Fault
    from unit_tests.peers.peer import FaultyPeer

RARELY = pytest.mark.landing
BUSY = Answer(503, S3_SLOW_DOWN.body)
AGAIN = "Run the command again: it continues with the missing hours."
CREDENTIALS = (
    "Check the name in --to and your credentials (docs/landing.md lists where each store's credentials are looked "
    "for). They need permission to read, list and write under the prefix."
)


@pytest.mark.parametrize(
    "fault",
    [BUSY, LoseAnswer(), pytest.param(CutRequest(after=300), marks=RARELY), CutAnswer(after=10)],
    ids=["busy", "lost responses", "cut requests", "cut responses"],
)
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_transient_store_faults_are_retried(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer, fault: Fault, method: str
) -> None:
    for skip in (0, 1, 5, 17):
        every_faulty_cloud.front.inject(fault, method=method, skip=skip)

    landed = program.land(every_faulty_cloud)
    again = program.land(every_faulty_cloud)

    assert (landed.exit_code, again.exit_code) == (0, 0), landed.stderr
    assert again.summary.startswith("nothing new (")
    every_faulty_cloud.front.clear()
    assert objects_of(stored(every_faulty_cloud)) == oracle(half_a_day.store)
    assert program.missing(every_faulty_cloud).exit_code == 0


@pytest.mark.parametrize("path", ["events/.*hour=05", "_manifest/.*hour=05"])
@pytest.mark.parametrize(
    "fault",
    [BUSY, pytest.param(CutRequest(), marks=RARELY), pytest.param(LoseAnswer(), marks=RARELY)],
    ids=["busy", "cut requests", "lost responses"],
)
def test_run_after_a_store_failure_completes_the_hours(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer, path: str, fault: Fault
) -> None:
    front = every_faulty_cloud.front
    front.inject(fault, method="PUT", path=path, times=FOREVER)

    broken = program.land(every_faulty_cloud)
    front.clear()
    missing = program.missing(every_faulty_cloud)
    rest = program.land(every_faulty_cloud, *HOURS, "--only-missing")

    is_noticed = isinstance(fault, LoseAnswer) and path.startswith("_")  # a manifest that was written is read back
    failed = broken.problem.startswith(f"{every_faulty_cloud.url} failed while writing {path[:6]}")
    assert (broken.exit_code, failed, broken.problem.endswith(AGAIN)) == (
        (0, False, False) if is_noticed else (1, True, True)
    )
    assert missing.exit_code == (0 if is_noticed else 1)
    assert rest.exit_code == 0
    assert objects_of(stored(every_faulty_cloud)) == oracle(half_a_day.store)
    assert program.missing(every_faulty_cloud).exit_code == 0


def test_every_command_reports_a_store_that_does_not_answer(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer
) -> None:
    half_a_day.clear_requests()
    every_faulty_cloud.front.inject(BUSY, times=FOREVER)

    landed, missing = program.land(every_faulty_cloud), program.missing(every_faulty_cloud)

    problem = f"{every_faulty_cloud.url} failed while"
    assert (landed.exit_code, missing.exit_code) == (1, 3)
    assert landed.problem.startswith(f"{problem} reading _manifest/place.json")
    assert missing.problem.startswith(f"{problem} listing _manifest")
    assert (landed.problem.endswith(AGAIN), missing.stdout) == (True, "")
    assert half_a_day.requests == []


@pytest.mark.parametrize("denied", [S3_ACCESS_DENIED, AZURE_NOT_AUTHORIZED], ids=["S3", "Azure"])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_denied_access_is_reported_without_retries(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer, denied: Answer, method: str
) -> None:
    every_faulty_cloud.front.inject(denied, method=method, times=FOREVER)

    landed = program.land(every_faulty_cloud, "--start", "2026-03-04T09", "--end", "2026-03-04T10")

    doing = {"PUT": "writing _manifest/place.json", "GET": "reading _manifest/place.json"}[method]
    assert len(half_a_day.store.members(at(9))) > 0
    assert landed.exit_code == 1
    assert landed.problem.startswith(f"{every_faulty_cloud.url} denied {doing}")
    assert landed.problem.endswith(CREDENTIALS)
    every_faulty_cloud.front.clear()
    assert stored(every_faulty_cloud) == {}


def test_run_after_an_expired_token_completes_the_hours(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer
) -> None:
    faulty_s3.front.inject(S3_EXPIRED_TOKEN, method="PUT", skip=12, times=FOREVER)

    landed = program.land(faulty_s3)
    faulty_s3.front.clear()
    rest = program.land(faulty_s3)

    assert landed.exit_code == 1
    assert "ExpiredToken" in landed.problem
    assert rest.exit_code == 0
    assert objects_of(stored(faulty_s3)) == oracle(half_a_day.store)


def test_missing_bucket_or_container_is_reported(program: Program, every_cloud: Peer) -> None:
    scheme = every_cloud.url.partition("://")[0]
    absent = Peer(f"{scheme}://absent-{os.getpid()}/landed", every_cloud.environ)

    landed, missing = program.land(absent), program.missing(absent)

    problem = f"{absent.url} does not exist: listing _manifest failed"
    assert (landed.exit_code, missing.exit_code) == (1, 3)
    assert (landed.problem.startswith(problem), missing.problem.startswith(problem)) == (True, True)
    assert landed.problem.endswith(CREDENTIALS)


def test_interrupted_multipart_upload_leaves_no_object(
    emulator: Emulator, program: Program, every_faulty_cloud: FaultyPeer
) -> None:
    emulator.store.put_repeated(at(9), 5, json.dumps({"uuid": "x" * 1000}).encode(), 20_000, level=0)
    path = object_path(emulator.store.members()[0])
    every_faulty_cloud.front.inject(
        CutRequest(after=100_000), method="PUT", path="(partNumber|comp=block&).*", skip=1, times=FOREVER
    )

    broken = program.land(every_faulty_cloud, "--start", "2026-03-04T09")
    every_faulty_cloud.front.clear()
    left = stored(every_faulty_cloud)
    again = program.land(every_faulty_cloud, "--start", "2026-03-04T09")

    assert (broken.exit_code, list(left), again.exit_code) == (1, ["_manifest/place.json"], 0)
    assert objects_of(stored(every_faulty_cloud)) == {path: read(emulator.store, emulator.store.members()[0])}


@pytest.mark.skipif(obstore.__version__.startswith("0.11."), reason="obstore 0.11 (Python 3.10) does not abort uploads")
def test_failed_multipart_upload_is_aborted(emulator: Emulator, program: Program, faulty_s3: FaultyPeer) -> None:
    emulator.store.put_repeated(at(9), 5, json.dumps({"uuid": "x" * 1000}).encode(), 20_000, level=0)
    faulty_s3.front.inject(BUSY, method="PUT", path="partNumber=2", times=FOREVER)

    broken = program.land(faulty_s3, "--start", "2026-03-04T09")

    uploads = [request.method for request in faulty_s3.front.requests if "uploadId" in request.path]
    assert broken.exit_code == 1
    assert uploads[-1] == "DELETE"


def test_concurrent_manifest_change_is_merged(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer
) -> None:
    peer, path = every_faulty_cloud, "_manifest/date=2026-03-04/hour=05.json"
    program.land(peer, "--start", "2026-03-04T05", "--end", "2026-03-04T06")
    half_a_day.store.add_member(at(5), [{"uuid": "late"}], partition=9000)
    theirs = manifests_of(stored(peer))["2026-03-04T05"]
    extra = theirs["objects"][0] | {"name": "theirs.json.gz", "member": "theirs", "bytes": 1}
    store = peer.store()

    def write_theirs() -> None:
        obstore.put(store, f"events/date=2026-03-04/hour=05/{extra['name']}", b"x")
        obstore.put(store, path, json.dumps(theirs | {"objects": [*theirs["objects"], extra]}).encode())

    peer.front.inject(Do(write_theirs), method="PUT", path=path)
    landed = program.land(peer, "--start", "2026-03-04T05", "--end", "2026-03-04T06")

    names = [each["name"] for each in manifests_of(stored(peer))["2026-03-04T05"]["objects"]]
    expected = [object_path(each).rpartition("/")[2] for each in half_a_day.store.members(at(5), at(6))]
    assert landed.exit_code == 0
    assert names == sorted([*expected, "theirs.json.gz"])


@pytest.mark.usefixtures("half_a_day")
def test_busy_store_is_not_written_to_unconditionally(program: Program, faulty_s3: FaultyPeer) -> None:
    busy = Answer(503, xml_error("SlowDown", "Reduce your request rate. RequestId 501NotImplemented501"))
    faulty_s3.front.inject(busy, method="PUT", path="_manifest/.*hour=05", times=FOREVER)

    landed = program.land(faulty_s3, "--start", "2026-03-04T05", "--end", "2026-03-04T06")

    assert landed.exit_code == 1
    assert states_of(stored(faulty_s3)) == {}


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Yield a folder on its own small disk."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_run_after_a_full_disk_completes_the_hours(half_a_day: Emulator, program: Program) -> None:
    with small_disk(program.folder / "disk", "48k") as disk:
        peer = Peer(str(disk / "landed"))
        full = program.land(peer)
        left = objects_of(stored(peer))
        visible = [path for path in disk.rglob("*.json.gz") if path.is_file()]
        missing = program.missing(peer)
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        rest = program.land(peer, *HOURS, "--only-missing")
        content, files = stored(peer), [path for path in disk.rglob("*") if path.is_file()]

    members = oracle(half_a_day.store)
    assert (full.exit_code, missing.exit_code, rest.exit_code) == (1, 1, 0), full.stderr
    assert full.problem.startswith(f"The disk of {peer.url} is full: ")
    assert left == {path: members[path] for path in left}
    assert len(visible) == len(left) < len(members)
    assert objects_of(content) == members
    assert len(files) == len(content) + 1  # the lock


@pytest.mark.usefixtures("half_a_day")
def test_full_temporary_folder_is_reported(program: Program, folder: Peer) -> None:
    with small_disk(program.folder / "disk", "8k") as disk:
        run = ended(program.start(folder, *HOURS, environ={"TMPDIR": str(disk)}))

    assert run.exit_code == 1
    assert run.problem.startswith(f"The folder {disk} ")
    assert "set TMPDIR to a larger disk" in run.problem


@pytest.mark.usefixtures("half_a_day")
def test_unwritable_folder_is_reported(program: Program) -> None:
    with small_disk(program.folder / "disk", "1m") as disk:
        peer = Peer(str(disk / "landed"))
        program.land(peer, "--start", "2026-03-04T05", "--end", "2026-03-04T06")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        landed = program.land(peer)
        inside = program.land(Peer(str(disk / "another")))
        missing = program.missing(peer, "--start", "2026-03-04T05", "--end", "2026-03-04T06")

    assert (landed.exit_code, inside.exit_code, missing.exit_code) == (1, 1, 0), missing.stderr
    assert landed.problem.startswith(f"{peer.url} denied ")
    assert inside.problem.startswith(f"Folder {disk / 'another'} cannot be created (Read-only file system).")


def test_file_in_place_of_the_folder_is_reported(program: Program, tmp_path: Path) -> None:
    destination = tmp_path / "file"
    destination.write_text("not ours", encoding="utf-8")

    landed, missing = program.land(Peer(str(destination))), program.missing(Peer(str(destination)))

    assert (landed.exit_code, missing.exit_code) == (1, 3)
    assert landed.problem == f"Folder {destination} cannot be created (File exists). {CREDENTIALS}"
    assert missing.problem == f"Folder {destination} does not exist. Correct its name, or run land with it first."
    assert destination.read_text(encoding="utf-8") == "not ours"


def test_file_size_limit_is_reported(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.store.add_member(at(5), [{"uuid": os.urandom(40_000).hex()}], partition=9000)
    command = program.command("land", folder, "--config", program.config(), *HOURS)
    limited = f"ulimit -f 8; exec {' '.join(command)}"

    done = subprocess.run(
        ["bash", "-c", limited], cwd=PROJECT, env=program.environ(folder), capture_output=True, text=True, check=False
    )

    assert done.returncode == 1, done.stderr
    assert "File too large" in done.stderr
    assert objects_of(stored(folder)).items() <= oracle(half_a_day.store).items()
