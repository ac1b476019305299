"""The real ``check`` and ``discover`` print the messages of the CDK's entrypoint without importing the CDK."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.end_to_end.connector import PROJECT, Run
from unit_tests.end_to_end.terminal import ReadyProgram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

STOCK = Path(__file__).with_name("stock_program.py")
SLOW_LIBRARIES = ("airbyte_cdk", "airbyte_protocol_dataclasses", "serpyco_rs", "pydantic", "pandas", "msgspec", "rich")
BROKEN = """\
import sys
from source_amplitude.airbyte.connection import Connection
from source_amplitude.run import run

def check(self, config, stop):
    raise ValueError(f"a bug with {config.keys.secret_key}")

Connection.check = check
sys.exit(run())
"""
WRONG_SECRET = "not-the-secret-0123456789"


@dataclass(frozen=True)
class Case:
    """A command, its configuration, and what Amplitude does.

    Attributes:
        changes: Changed fields of a valid configuration; None removes a field.
        text: The configuration file's text, in place of a valid configuration; an empty text for no file.
        faults: Faults of the emulator, by kind.
    """

    command: str
    changes: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    exit_code: int = 0

    def arguments(self, connector: Connector, path: Path) -> tuple[str, ...]:
        """Write the configuration file and return the command line."""
        if self.text is None:
            connector.file(path.name, connector.config(**self.changes))
        elif self.text:
            path.write_text(self.text, encoding="utf-8")
        return self.command, "--config", str(path), *self.options

    def break_amplitude(self, emulator: Emulator) -> None:
        emulator.faults.clear()
        for kind, settings in self.faults.items():
            emulator.faults.add(kind, **settings)


INVALID: dict[str, Any] = {"data_region": "mars", "start_date": "soon", "request_time_range": "4"}
VARIED: dict[str, Any] = {
    "data_region": "EU Residency Server",
    "start_date": "2020-01-01T00:00:00Z",
    "active_users_group_by_country": True,
    "cohort_ids": ["abc123"],
    "chart_ids": ["xyz"],
    "num_processes": 1,
}
OUTAGE = {"server_error": {"status": 503}}

CASES = {
    "check": Case("check"),
    "check with debug lines": Case("check", options=("--debug",)),
    "check with the platform's debug lines": Case("check", environ={"LOG_LEVEL": "debug"}),
    "check of a wrong secret": Case("check", {"secret_key": WRONG_SECRET}, exit_code=1),
    "check in the wrong region": Case("check", {"data_region": "EU Residency Server"}, exit_code=1),
    "check of invalid values": Case("check", INVALID, exit_code=1),
    "check without a key": Case("check", {"secret_key": None}, exit_code=1),
    "check without fields": Case("check", text="{}", exit_code=1),
    "check without a file": Case("check", text="", exit_code=1),
    "check of text that is not JSON": Case("check", text='{"api_key": ', exit_code=1),
    "check of a list": Case("check", text="[1]", exit_code=1),
    "check of an unset variable": Case("check", {"secret_key": "${NO_SUCH_VARIABLE}"}, exit_code=1),
    "check of a key with controls": Case("check", {"secret_key": "a\u202eb\nc"}, exit_code=1),
    "check during an outage": Case("check", faults=OUTAGE, exit_code=1),
    "check of an invalid address": Case("check", environ={"AMPLITUDE_API_URL": "http://amplitude.test"}, exit_code=1),
    "check of an address without a server": Case(
        "check", environ={"AMPLITUDE_API_URL": "http://127.0.0.1:9"}, exit_code=1
    ),
    "discover": Case("discover"),
    "discover with debug lines": Case("discover", options=("--debug",)),
    "discover with other settings": Case("discover", VARIED),
    "discover with a wrong secret": Case("discover", {"secret_key": WRONG_SECRET}),
    "discover of invalid values": Case("discover", INVALID, exit_code=1),
    "discover without a key": Case("discover", {"api_key": None}, exit_code=1),
    "discover without a file": Case("discover", text="", exit_code=1),
    "discover at an invalid address": Case(
        "discover", environ={"AMPLITUDE_API_URL": "http://amplitude.test"}, exit_code=1
    ),
}


@pytest.fixture(scope="module")
def stock() -> Iterator[ReadyProgram]:
    with ReadyProgram(STOCK) as program:
        yield program


@pytest.mark.parametrize("name", CASES)
def test_messages_equal_those_of_the_cdk(
    emulator: Emulator, connector: Connector, stock: ReadyProgram, tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    connector.environ |= case.environ
    arguments = case.arguments(connector, tmp_path / "config.json")

    case.break_amplitude(emulator)
    ours = connector.run(*arguments)
    case.break_amplitude(emulator)
    shown = stock.run(arguments, connector.environ)

    theirs = Run(shown.exit_code, shown.stdout, shown.stderr)
    assert comparable(ours) == without_its_own_lines(comparable(theirs))
    assert len(comparable(ours)) > 0
    assert (ours.exit_code, ours.stderr) == (case.exit_code, b"")
    # The CDK exits with 0 after a FAILED status; in a shell script, only the exit code of ours shows the failure.
    assert theirs.exit_code == (0 if "FAILED" in statuses(theirs) else case.exit_code)


def statuses(run: Run) -> list[str]:
    return [message["connectionStatus"]["status"] for message in run.of_type("CONNECTION_STATUS")]


def comparable(run: Run) -> list[dict[str, Any]]:
    """Return the messages without times and stack traces, which name the lines of the calling code."""
    messages = run.messages
    for message in messages:
        if message["type"] == "TRACE":
            assert isinstance(message["trace"].pop("emitted_at"), float | int)
            assert message["trace"]["error"].pop("stack_trace").startswith("Traceback (most recent call last):\n")
    return messages


def without_its_own_lines(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the CDK's messages without those that are about itself or repeat another.

    It describes its memory monitor, which watches a read. Of an uncaught exception, such as an unusable configuration
    file, it prints the stack also as a FATAL log line, and after a failed check that is not a config_error it prints
    the same TRACE again.
    """
    found: list[dict[str, Any]] = []
    for message in messages:
        log = message.get("log", {"level": "", "message": ""})
        is_its_own = log["level"] == "FATAL" or log["message"].startswith("MemoryMonitor instantiated")
        if not is_its_own and message not in found:
            found.append(message)
    return found


def test_a_trace_has_the_stack_of_the_error(emulator: Emulator, connector: Connector) -> None:
    emulator.faults.add("server_error", status=503)

    (error,) = connector.check().errors

    stack = error["stack_trace"].rstrip().splitlines()
    assert stack[0] == "Traceback (most recent call last):"
    assert stack[-1].startswith("source_amplitude.errors.ServerFailureError: ")


def test_an_unexpected_exception_is_reported(connector: Connector, tmp_path: Path) -> None:
    program = tmp_path / "broken.py"
    program.write_text(BROKEN, encoding="utf-8")

    run = connector.run("check", "--config", connector.file("config.json", connector.config()), program=program)

    log, trace = run.messages
    assert (run.exit_code, log["log"]["level"]) == (1, "FATAL")
    assert log["log"]["message"].startswith("a bug with ****\nTraceback (most recent call last):\n")
    error = {name: text for name, text in trace["trace"]["error"].items() if name != "stack_trace"}
    assert error == {
        "message": "Something went wrong in the connector. See the logs for more details.",
        "internal_message": "a bug with ****",
        "failure_type": "system_error",
    }


@pytest.mark.parametrize("command", ["check", "discover", "spec"])
def test_commands_import_no_slow_library(emulator: Emulator, connector: Connector, command: str) -> None:
    config = connector.file("config.json", connector.config())
    options = [] if command == "spec" else ["--config", config]
    arguments = [sys.executable, "-X", "importtime", str(PROJECT / "main.py"), command, *options]

    done = subprocess.run(arguments, env=connector.environ, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    assert emulator.requests or command != "check"
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "source_amplitude" in imported
    assert imported & set(SLOW_LIBRARIES) == set()
