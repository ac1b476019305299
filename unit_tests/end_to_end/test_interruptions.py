"""Killed processes and full disks: the last state covers only printed records, and the next sync completes the set."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit_tests.conftest import NOON
from unit_tests.end_to_end.connector import COMMAND, PROJECT, SHARING_COMMAND, Connector, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amplitude_emulator import Emulator

SEED = 20260304
KILLS = 4


def uuids_of(run: Run) -> list[str]:
    return [record["uuid"] for record in run.records]


def stored_uuids(emulator: Emulator) -> list[str]:
    return sorted(str(event["uuid"]) for event in emulator.store.events())


@pytest.fixture(params=[COMMAND, SHARING_COMMAND], ids=["one process", "several processes"])
def program(request: pytest.FixtureRequest) -> Path:
    """The command line with one process, as for small syncs, and with several, as for large ones."""
    return Path(request.param)


def interrupted(
    connector: Connector, arguments: Iterable[str], how: signal.Signals, lines: int, program: Path = COMMAND
) -> Run:
    """Run a read and send it a signal after ``lines`` lines of output."""
    command = [sys.executable, "-u", str(program), *arguments]  # -u: raw stdout, so that a signal interrupts writes
    with subprocess.Popen(command, cwd=PROJECT, env=connector.environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(how)
        seen += process.stdout.readlines()
    whole = [line for line in seen if line.endswith(b"\n")]
    return Run(process.returncode, b"".join(whole), b"")


def before_and_after_the_last_state(run: Run) -> tuple[list[str], list[str], object]:
    """Return the records before and after the last state, and that state."""
    before: list[str] = []
    after: list[str] = []
    state = None
    for message in run.messages:
        if message["type"] == "RECORD":
            after.append(message["record"]["data"]["uuid"])
        elif message["type"] == "STATE":
            before, after, state = before + after, [], message["state"]["stream"]["stream_state"]
    return before, after, state


def test_a_killed_read_is_completed_by_the_next(half_a_day: Emulator, connector: Connector, program: Path) -> None:
    chance = random.Random(SEED)
    half_a_day.faults.add(
        "prepare", seconds=0.3
    )  # slow, so that states (at most one per second) come between the hours
    state: object = None
    kept: list[str] = []
    repeated = 0

    for _ in range(KILLS):
        arguments = connector.reading(state, request_time_range=1, num_workers=1, num_processes=2)
        run = interrupted(connector, arguments, signal.SIGKILL, chance.randint(10, 200), program)
        before, after, new_state = before_and_after_the_last_state(run)
        kept += before
        repeated += len(after)
        state = new_state or state
    half_a_day.faults.clear()
    rest = connector.read(state)

    assert rest.exit_code == 0, rest.logs
    assert sorted(kept + uuids_of(rest)) == stored_uuids(half_a_day)
    assert repeated > 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
@pytest.mark.parametrize(
    "lines", [pytest.param(9, marks=pytest.mark.long), 60, pytest.param(250, marks=pytest.mark.long)]
)
def test_a_stopped_read_repeats_nothing(
    half_a_day: Emulator, connector: Connector, how: signal.Signals, lines: int, program: Path
) -> None:
    half_a_day.faults.add("prepare", seconds=0.2)

    arguments = connector.reading(request_time_range=1, num_workers=1, num_processes=2)
    run = interrupted(connector, arguments, how, lines, program)
    before, after, state = before_and_after_the_last_state(run)
    half_a_day.faults.clear()
    rest = connector.read(state)

    assert run.exit_code == 128 + how
    assert "Stopped. Progress is saved." in run.error_texts[0]
    assert (run.statuses[-1], after) == ("INCOMPLETE", [])
    assert sorted(before + uuids_of(rest)) == stored_uuids(half_a_day)


@pytest.mark.parametrize("command", ["check", "discover"])
def test_a_command_terminated_after_its_response_succeeds(connector: Connector, command: str) -> None:
    config = connector.file("config.json", connector.config())
    responses = {"check": b'"CONNECTION_STATUS"', "discover": b'"CATALOG"'}

    arguments = [sys.executable, "-u", str(COMMAND), command, "--config", config]
    with subprocess.Popen(arguments, cwd=PROJECT, env=connector.environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        response = next((line for line in process.stdout if responses[command] in line), b"")
        process.send_signal(signal.SIGTERM)  # as PyAirbyte does

    assert response
    # The code depends on timing: an exiting Python no longer handles signals.
    assert process.returncode in {0, -signal.SIGTERM}


def test_a_killed_read_leaves_no_files(
    half_a_day: Emulator, connector: Connector, tmp_path: Path, program: Path
) -> None:
    half_a_day.faults.add("slow_drip", bytes_per_second=2000)
    files_before = {path.name for path in tmp_path.iterdir()}

    arguments = connector.reading(request_time_range=1, num_processes=2)
    interrupted(connector, arguments, signal.SIGKILL, 9, program)

    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in files_before]
    assert sorted(str(path.relative_to(tmp_path)) for path in files) == ["catalog.json", "config.json"]


def test_a_full_disk_is_reported_and_the_next_sync_completes(
    half_a_day: Emulator, connector: Connector, tmp_path: Path
) -> None:
    arguments = connector.reading(request_time_range=1, num_workers=1)
    # Files are limited to 4 KB, so the disk is full in the middle of every archive.
    limited = f"ulimit -f 4; exec {sys.executable} {COMMAND} {' '.join(arguments)}"

    done = subprocess.run(["bash", "-c", limited], cwd=PROJECT, env=connector.environ, capture_output=True, check=False)
    full = Run(done.returncode, done.stdout, done.stderr)
    rest = connector.read(full.states[-1])

    assert full.exit_code == 1
    assert full.error_texts[0].startswith(f"The folder {tmp_path} cannot be written (File too large): ")
    assert "more are needed" in full.error_texts[0]
    assert "set TMPDIR to a larger disk" in full.error_texts[0]
    assert sorted(uuids_of(full) + uuids_of(rest)) == stored_uuids(half_a_day)


def test_extreme_lines_are_read_completely(emulator: Emulator, connector: Connector) -> None:
    stamp = '"server_upload_time":"2026-03-04 06:00:00.000001"'
    lines = [
        '{"uuid":"long","text":"' + "x" * 20_000_000 + '",' + stamp + "}",
        '{"uuid":"nul","text":"a\\u0000b",' + stamp + "}",
        '{"uuid":"surrogate","text":"a\\ud800b",' + stamp + "}",
        '{"uuid":"numbers","a":9223372036854775807,"b":18446744073709551616,"c":-9223372036854775809,' + stamp + "}",
        '{"uuid":"digits","a":123456789012345678901234567890,"b":[1.5e300,0.1],' + stamp + "}",
        '{"uuid":"dates","event_time":"2026:03:04 05:06:07.8","processed_time":"soon","client_event_time":"2026-03-04",'
        '"client_upload_time":"2026-03-04T05:06:07+02:00","server_received_time":5,"user_creation_time":"",'
        + stamp
        + "}",
    ]
    emulator.store.put_content(NOON.replace(hour=6), 0, "\n\n".join(lines).encode() + b"\n\n")

    run = connector.read()

    at = {"server_upload_time": "2026-03-04T06:00:00.000001+00:00"}
    expected = [json.loads(line) | at for line in lines]
    expected[2]["text"] = "a\ufffdb"
    del expected[-1]["user_creation_time"]
    expected[-1] |= {
        "event_time": "2026-03-04T05:06:07.800000+00:00",
        "client_event_time": "2026-03-04T00:00:00.000000+00:00",
        "client_upload_time": "2026-03-04T03:06:07.000000+00:00",
    }
    assert run.exit_code == 0, run.error_texts
    assert run.records == expected
    assert "1 unreadable datetime unchanged; 1 value of an undeclared type unchanged" in run.logs
