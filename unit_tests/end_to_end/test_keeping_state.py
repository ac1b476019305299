"""``read --state-file``: after any kind of end, the next run continues and nothing is lost."""

from __future__ import annotations

import json
import random
import signal
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from unit_tests.end_to_end.connector import Run
from unit_tests.end_to_end.test_interruptions import before_and_after_the_last_state, stored_uuids, uuids_of

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram

SEED = 20260304
KILLS, MAX_RUNS = 3, 6


@pytest.mark.parametrize("to_a_file", [False, True], ids=["into a pipe", "into a file"])
def test_killed_runs_lose_nothing(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path, *, to_a_file: bool
) -> None:
    chance = random.Random(SEED + to_a_file)
    half_a_day.faults.add("prepare", seconds=0.15)
    arguments = connector.reading(request_time_range=1, num_workers=1)
    state = tmp_path / "kept.json"
    kept: list[str] = []
    repeated: list[str] = []
    codes: list[int] = []

    while 0 not in codes and len(codes) < MAX_RUNS:
        output = (tmp_path / "out.jsonl").open("wb") if to_a_file else None
        running = ready_program.start(
            [*arguments, "--state-file", str(state)],
            connector.environ,
            output=output.fileno() if output else None,
        )
        if len(codes) < KILLS:
            running.kill_after(0.4 + chance.random())
        run = running.ended()
        if output is not None:
            output.close()
            run = type(run)(run.exit_code, (tmp_path / "out.jsonl").read_bytes(), run.stderr)
        whole = b"".join(each for each in run.stdout.splitlines(keepends=True) if each.endswith(b"\n"))
        before, after, printed_state = before_and_after_the_last_state(Run(run.exit_code, whole, b""))
        kept += before
        repeated += after
        codes.append(run.exit_code)
        if (
            printed_state is not None and state_of(state) != printed_state
        ):  # killed between printing and saving a state: its records come again
            kept = kept[: len(kept) - len(before)]
            repeated += before

    assert codes[-1] == 0
    assert -signal.SIGKILL in codes
    assert sorted(kept) == stored_uuids(half_a_day)
    assert set(repeated) <= set(kept)


def state_of(path: Path) -> object:
    """Return the events stream's state in a state file, which is always complete."""
    return next((each["stream"]["stream_state"] for each in json.loads(path.read_text())), None)


def test_a_second_run_repeats_nothing(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    state = str(tmp_path / "kept.json")
    arguments = connector.reading()

    runs = [ready_program.run([*arguments, "--state-file", state], connector.environ) for _ in range(2)]
    other = ready_program.run([*arguments, "--state", state], connector.environ)

    assert [run.exit_code for run in (*runs, other)] == [0, 0, 0]
    assert [sorted(uuids_of(run)) for run in (*runs, other)] == [stored_uuids(half_a_day), [], []]


def test_streams_read_in_turns_keep_their_states(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    state = tmp_path / "kept.json"
    option = ["--state-file", str(state)]

    ready_program.run([*connector.reading(), *option], connector.environ)
    ready_program.run([*connector.reading(streams=("active_users",)), *option], connector.environ)
    again = ready_program.run([*connector.reading(), *option], connector.environ)

    kept = [each["stream"]["stream_descriptor"]["name"] for each in json.loads(state.read_text())]
    assert sorted(kept) == ["active_users", "events"]
    assert (again.records, again.exit_code) == ([], 0)
    assert half_a_day.requests


def test_a_full_refresh_reads_everything_each_time(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    half_a_day.faults.add("prepare", seconds=0.25)
    arguments = connector.reading(
        mode="full_refresh", streams=("cohorts", "events"), request_time_range=1, num_workers=1
    )
    command = [*arguments, "--state-file", str(tmp_path / "kept.json")]

    running = ready_program.start(command, connector.environ)
    running.wait_until_shown(b'"stream":"events"', on_stdout=True)
    running.kill(signal.SIGTERM)
    interrupted = running.ended()
    half_a_day.faults.clear()
    runs = [ready_program.run(command, connector.environ) for _ in range(2)]

    uuids = [[each["uuid"] for each in run.records if "uuid" in each] for run in (interrupted, *runs)]
    assert [interrupted.exit_code, *(run.exit_code for run in runs)] == [143, 0, 0]
    assert (sorted(uuids[0] + uuids[1]), sorted(uuids[2])) == (stored_uuids(half_a_day), stored_uuids(half_a_day))
    assert [sum("uuid" not in each for each in run.records) for run in runs] == [3, 3]


def test_a_locked_state_file_is_refused_before_any_request(
    emulator: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    state = tmp_path / "kept.json"

    with FileLock(f"{state}.lock"):
        run = ready_program.run([*connector.reading(), "--state-file", str(state)], connector.environ)

    assert (run.exit_code, run.records, emulator.requests) == (1, [], [])
    assert f"--state-file: {state} is in use by another run" in run.error_texts[0]


def test_a_state_file_that_cannot_be_written_fails_the_run(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    assert half_a_day.store.lines()
    state = tmp_path / ("k" * 240)  # too long for a temporary file beside it; permissions would not stop root

    run = ready_program.run([*connector.reading(), "--state-file", str(state)], connector.environ)

    assert run.exit_code == 1
    assert f"--state-file: {state} cannot be written (File name too long)" in run.error_texts[0]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--state", "a", "--state-file", "b"], "--state-file: use either this or --state, not both"),
        (["--state=a", "--state-file=b"], "--state-file: use either this or --state, not both"),
        (["--state-file", ""], "--state-file: the file name is empty"),
        (["--state-file"], "--state-file needs a value: the file that keeps the state"),
        (["--stat", "a"], "--stat is not an option; did you mean --state?"),
    ],
    ids=["both", "both with =", "empty", "no value", "abbreviated"],
)
def test_wrong_usage_of_state_file_is_explained(
    connector: Connector, ready_program: ReadyProgram, options: list[str], problem: str
) -> None:
    run = ready_program.run([*connector.reading(), *options], connector.environ)

    assert (run.exit_code, run.stdout) == (2, b"")
    assert problem in run.stderr.decode().replace("\n", " ")


def test_only_read_accepts_a_state_file(connector: Connector, ready_program: ReadyProgram) -> None:
    config = connector.file("config.json", connector.config())

    run = ready_program.run(["check", "--config", config, "--state-file", "x"], connector.environ)

    assert (run.exit_code, b"--state-file is not an option" in run.stderr) == (2, True)
