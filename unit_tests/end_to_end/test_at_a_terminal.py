"""The output of commands on a terminal, and of the same commands in a pipe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.end_to_end.connector import COMMAND, PROJECT, Run
from unit_tests.end_to_end.terminal import CTRL_C

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram

UserError = Callable[["Connector", "Path"], "tuple[Sequence[str], str]"]

ESCAPE = b"\x1b"
INVALID = "source-amplitude: The configuration has 1 problem: "
REFUSED = "Amplitude rejected the API keys (Standard Server"


@pytest.fixture
def connector(connector: Connector) -> Connector:
    """The connector at a colour terminal."""
    for name in ("NO_COLOR", "FORCE_COLOR", "NO_PROGRESS"):
        connector.environ.pop(name, None)
    connector.environ |= {"TERM": "xterm-256color", "COLUMNS": "120"}
    return connector


def without_timestamps(stdout: bytes) -> list[str]:
    """Return the output without parts that differ between runs: timestamps and log lines."""
    lines = [line for line in stdout.decode().splitlines() if '"type":"LOG"' not in line]
    return [re.sub(r'"emitted_at":[0-9.]+', '"emitted_at":0', line) for line in lines]


def test_progress_does_not_change_the_data(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram
) -> None:
    arguments = connector.reading(num_workers=2)
    kinds = [(False, False), (False, True), (True, False), (True, True)]

    runs = [ready_program.run(arguments, connector.environ, stdout=stdout, stderr=stderr) for stdout, stderr in kinds]

    assert [run.exit_code for run in runs] == [0] * 4
    assert [without_timestamps(run.stdout) for run in runs] == [without_timestamps(runs[0].stdout)] * 4
    assert len(runs[0].records) == len(half_a_day.store.lines())
    assert [ESCAPE in run.stdout for run in runs] == [False] * 4
    assert [run.stderr for run in (runs[0], runs[2])] == [b"", b""]
    # No progress is drawn if the data goes to the same terminal.
    assert [ESCAPE in run.stderr for run in runs] == [False, True, False, False]


def test_progress_shows_hours_and_ends_with_a_summary(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    half_a_day.faults.add("prepare", seconds=0.3)
    arguments = connector.reading(request_time_range=1, num_workers=1)
    events = len(half_a_day.store.lines())

    with (tmp_path / "out.jsonl").open("wb") as output:
        seen = ready_program.run(arguments, connector.environ, stderr=True, output=output.fileno())
    printed = Run(0, (tmp_path / "out.jsonl").read_bytes(), b"")

    progress = re.findall(rb"(\d+)/(\d+) hours  ([\d,]+) events  [\d,]+/s  \d+ MB", seen.stderr)
    hours = [int(done) for done, _, _ in progress]
    assert {of for _, of, _ in progress} == {b"10"}
    assert (hours, len(set(hours)) > 3, max(hours) <= 10) == (sorted(hours), True, True)
    assert len(printed.records) == events
    assert re.sub(r"[\d.]+ MB|[\d.]+ s|[\d,]+/s", "N", "\n".join(seen.lines)) == (
        f"events: {events} events, N of JSON (N downloaded), N (N)\n"
        "        hours: 8 done, 0 empty, 2 open, 0 failed\n"
        "Next run:\n"
        f"""  grep -a '^{{"type":"STATE"' {os.path.relpath(tmp_path / "out.jsonl", PROJECT)} > state.json\n"""
        f"  source-amplitude read --config {tmp_path}/config.json --catalog {tmp_path}/catalog.json "
        f"--state-file state.json >> {os.path.relpath(tmp_path / 'out.jsonl', PROJECT)}"
    )
    assert seen.cursor_is_shown


def test_a_second_read_counts_rechecked_hours(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram
) -> None:
    first = ready_program.run(connector.reading(), connector.environ)
    half_a_day.clock.advance(timedelta(hours=7))
    half_a_day.faults.add("prepare", seconds=0.1)

    arguments = connector.reading(first.states[-1], request_time_range=1, num_workers=1)
    seen = ready_program.run(arguments, connector.environ, stderr=True)

    progress = [(int(done), int(of)) for done, of in re.findall(rb"(\d+)/(\d+) hours", seen.stderr)]
    assert progress
    assert [pair for pair in progress if pair[0] > pair[1]] == []


@pytest.mark.parametrize("keeps_state", [True, False])
def test_the_suggested_command_reads_only_new_records(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path, *, keeps_state: bool
) -> None:
    output, states = tmp_path / "out.jsonl", ["--state-file", str(tmp_path / "kept.json")]
    (tmp_path / "state.json").write_text("of another sync")
    connector.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    arguments = [*connector.reading(streams=("cohorts", "events")), *(states if keeps_state else [])]
    with output.open("wb") as file:
        seen = ready_program.run(arguments, connector.environ, stderr=True, output=file.fileno(), folder=tmp_path)
    half_a_day.store.add_member(half_a_day.clock.now() - timedelta(hours=2), [{"uuid": "new"}], partition=9000)
    half_a_day.clock.advance(timedelta(hours=2))

    hint = "\n".join(seen.lines[seen.lines.index("Next run:") + 1 :])
    done = subprocess.run(["bash", "-ec", hint], cwd=tmp_path, env=connector.environ, capture_output=True, check=False)

    read = Run(0, output.read_bytes(), b"")
    uuids = [each["uuid"] for each in read.records if "uuid" in each]
    cohorts = [each["id"] for each in read.records if "uuid" not in each]
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert sorted(uuids) == sorted(str(event["uuid"]) for event in half_a_day.store.events())
    assert (uuids[-1], sorted(cohorts)) == ("new", sorted([*set(cohorts)] * 2))
    assert (tmp_path / "state.json").read_text() == "of another sync"


@pytest.mark.parametrize("name", ["NO_PROGRESS", "TERM"])
def test_the_summary_is_printed_without_progress(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, name: str
) -> None:
    connector.environ[name] = {"NO_PROGRESS": "1", "TERM": "dumb"}[name]

    seen = ready_program.run(connector.reading(), connector.environ, stderr=True)

    assert ESCAPE not in seen.stderr
    assert seen.lines[0].startswith(f"events: {len(half_a_day.store.lines())} events, ")


def test_no_color_turns_colours_off(emulator: Emulator, connector: Connector, ready_program: ReadyProgram) -> None:
    assert not emulator.requests
    arguments = ["check", "--config", connector.file("config.json", connector.config(data_region="mars"))]

    red = ready_program.run(arguments, connector.environ, stderr=True)
    plain = ready_program.run(arguments, connector.environ | {"NO_COLOR": "1"}, stderr=True)

    assert (b"\x1b[31m" in red.stderr, ESCAPE in plain.stderr) == (True, False)
    assert red.lines == plain.lines


def test_check_prints_a_line_or_a_message(
    emulator: Emulator, connector: Connector, ready_program: ReadyProgram
) -> None:
    assert not emulator.requests
    right = ["check", "--config", connector.file("right.json", connector.config())]
    wrong = ["check", "--config", connector.file("wrong.json", connector.config(secret_key="another-key"))]

    alone = [ready_program.run(each, connector.environ, stdout=True, stderr=True) for each in (right, wrong)]
    both = [ready_program.run(each, connector.environ, stderr=True) for each in (right, wrong)]
    elsewhere = ready_program.run(wrong, connector.environ, stdout=True)

    assert [(run.exit_code, run.stdout) for run in alone] == [(0, b""), (1, b"")]
    assert alone[0].lines == both[0].lines == ["Amplitude accepts the API keys."]
    assert alone[1].lines == both[1].lines == [both[1].connection["message"]]
    assert alone[1].lines[0].startswith(REFUSED)
    assert [run.connection["status"] for run in both] == ["SUCCEEDED", "FAILED"]
    assert (elsewhere.connection["status"], elsewhere.stderr) == ("FAILED", b"")


def read_with(problem: str, **changes: Any) -> UserError:  # noqa: ANN401 - any configuration value
    return lambda connector, _: (connector.reading(**changes)[1:], problem)


def with_a_torn_state(connector: Connector, folder: Path) -> tuple[Sequence[str], str]:
    state = folder / "torn.json"
    state.write_text('[{"type": "STR')
    problem = f"{INVALID}--state-file: {state} is not valid JSON (Unterminated string"
    return [*connector.reading()[1:], "--state-file", str(state)], problem


def without_a_catalog(connector: Connector, _: Path) -> tuple[Sequence[str], str]:
    config = connector.file("config.json", connector.config())
    return ["--config", config, "--catalog", "none.json"], f"{INVALID}--catalog: none.json cannot be read (No such file"


USER_ERRORS: dict[str, UserError] = {
    "config": lambda _connector, _folder: (
        ["--config", "none.json", "--catalog", "none.json"],
        f"{INVALID}--config: none.json cannot be read (No such file",
    ),
    "catalog": without_a_catalog,
    "field": read_with(f"{INVALID}num_workers: 9 is not a whole number", num_workers=9),
    "state file": with_a_torn_state,
    "keys": read_with(f"events failed: {REFUSED}, HTTP 403", secret_key="another-key"),
    "stream": read_with("evants failed: The catalog contains the unknown stream ", streams=("evants",)),
}


@pytest.mark.parametrize("user_error", USER_ERRORS)
def test_an_error_is_one_line_on_a_terminal_and_a_trace(
    emulator: Emulator, connector: Connector, ready_program: ReadyProgram, user_error: str, tmp_path: Path
) -> None:
    assert not emulator.requests
    arguments, line = USER_ERRORS[user_error](connector, tmp_path)

    alone = ready_program.run(["read", *arguments], connector.environ, stdout=True, stderr=True)
    both = ready_program.run(["read", *arguments], connector.environ, stderr=True)
    neither = ready_program.run(["read", *arguments], connector.environ)

    assert [run.exit_code for run in (alone, both, neither)] == [1, 1, 1]
    assert [text[: len(line)] for text in alone.lines] == [line]
    assert both.lines == alone.lines
    assert both.error_texts == neither.error_texts == [alone.lines[0].split(": ", 1)[1]]
    assert neither.stderr == b""


def test_the_failed_stream_is_named_and_how_to_continue(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    half_a_day.faults.add("forbidden", path="/api/2/taxonomy", details="Your plan lacks it")
    streams = ("annotations", "event_types", "events")
    state = str(tmp_path / "kept.json")
    files = f"--config {tmp_path}/config.json --catalog {tmp_path}/catalog.json --state-file {state}"

    seen = ready_program.run(
        [*connector.reading(streams=streams), "--state-file", state], connector.environ, stderr=True
    )

    lines = seen.lines
    assert seen.exit_code == 1
    assert [lines[0], lines[4:]] == [
        "annotations: 3 records",
        [
            "1 of 3 streams failed: event_types",
            "To continue:",
            f"  source-amplitude read {files} >> FILE",
        ],
    ]
    assert lines[1].startswith("event_types failed: ")
    assert "Your plan lacks it" in lines[1]
    assert lines[2].startswith("events: 320 events, ")


def test_amplitudes_text_does_not_control_the_terminal(
    emulator: Emulator, connector: Connector, ready_program: ReadyProgram
) -> None:
    emulator.faults.add("forbidden", details="no\x1b[2J\x1b]0;title\x07 way")

    seen = ready_program.run(connector.reading(), connector.environ, stderr=True)

    assert b"\x1b[2J" not in seen.stderr
    assert b"\x1b]0" not in seen.stderr


@pytest.mark.parametrize("processes", [1, 2])
def test_ctrl_c_ends_a_read_with_a_state(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path, processes: int
) -> None:
    half_a_day.faults.add("prepare", seconds=0.3)
    arguments = connector.reading(request_time_range=1, num_workers=1, num_processes=processes)
    state = str(tmp_path / "kept.json")

    running = ready_program.start([*arguments, "--state-file", state], connector.environ, stderr=True)
    running.wait_until_shown(b"3/10 hours")
    running.type(CTRL_C)
    seen = running.ended()
    half_a_day.faults.clear()
    rest = ready_program.run([*arguments, "--state-file", state], connector.environ)

    assert (seen.exit_code, rest.exit_code) == (130, 0)
    assert seen.cursor_is_shown
    assert b"Traceback" not in seen.stderr
    assert "events: Stopped. Progress is saved." in "\n".join(seen.lines)
    assert seen.lines[-2] == "To continue:"
    stored = sorted(str(event["uuid"]) for event in half_a_day.store.events())
    assert sorted(record["uuid"] for record in seen.records + rest.records) == stored


def test_ctrl_c_during_imports_prints_no_traceback(connector: Connector) -> None:
    arguments = [sys.executable, str(COMMAND), *connector.reading()]
    with subprocess.Popen(
        ["timeout", "--foreground", "-s", "INT", "0.6", *arguments], cwd=PROJECT, env=connector.environ, stderr=-1
    ) as process:
        _, stderr = process.communicate()

    assert b"Traceback" not in stderr


def test_head_ends_the_read_and_restores_the_state_file(
    half_a_day: Emulator, connector: Connector, tmp_path: Path
) -> None:
    state = tmp_path / "kept.json"
    half_a_day.faults.add("prepare", seconds=0.1)
    arguments = " ".join(connector.reading(request_time_range=1, num_workers=1, streams=("cohorts", "events")))
    command = f"{sys.executable} {COMMAND} {arguments} --state-file {state} | head -40; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", command], cwd=PROJECT, env=connector.environ, capture_output=True, check=False)

    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (141, b"", 40)
    assert json.loads(done.stdout.splitlines()[0])["type"] == "LOG"
    assert not state.exists()


@pytest.mark.parametrize("arguments", [["config"], ["--help"], ["spec"]], ids=" ".join)
def test_a_closed_pipe_prints_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-m", "source_amplitude", *arguments]

    done = subprocess.run(program, cwd=PROJECT, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("command", ["config", "check"])
def test_a_full_disk_for_stdout_is_reported(connector: Connector, ready_program: ReadyProgram, command: str) -> None:
    arguments: list[Any] = [command]
    if command != "config":
        arguments += ["--config", connector.file("config.json", connector.config())]

    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = ready_program.run(arguments, connector.environ, output=full.fileno())

    assert (done.exit_code, done.stderr) == (
        1,
        b"source-amplitude: the output cannot be written (No space left on device)\n",
    )


def test_stderr_may_be_closed_but_not_stdout(connector: Connector) -> None:
    program = f"{sys.executable} -m source_amplitude"
    config = connector.file("config.json", connector.config(data_region="mars"))

    commands = [f"{program} check --config {config} 2>&-", f"{program} config >&-"]
    without_stderr, without_stdout = (
        subprocess.run(["bash", "-c", each], cwd=PROJECT, env=connector.environ, capture_output=True, check=False)
        for each in commands
    )

    assert (without_stderr.returncode, Run(1, without_stderr.stdout, b"").connection["status"]) == (1, "FAILED")
    assert (without_stdout.returncode, without_stdout.stderr) == (1, b"source-amplitude: stdout is closed\n")
