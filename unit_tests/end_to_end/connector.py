"""Run the connector like Airbyte, one process per command, and parse its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

PROJECT = Path(__file__).parents[2]
COMMAND = Path(__file__).with_name("command.py")
SHARING_COMMAND = Path(__file__).with_name("sharing_command.py")
TIMEOUT_SECONDS = 60

Record = dict[str, Any]
State = dict[str, Any]

DATETIME_FIELDS = (
    "client_event_time",
    "client_upload_time",
    "event_time",
    "processed_time",
    "server_received_time",
    "server_upload_time",
    "user_creation_time",
)


@dataclass(frozen=True)
class Run:
    """The output and exit code of one command."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def records(self) -> list[Record]:
        return [message["record"]["data"] for message in self.of_type("RECORD")]

    @property
    def states(self) -> list[State]:
        return [message["state"]["stream"]["stream_state"] for message in self.of_type("STATE")]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The error traces, in order."""
        return [message["trace"]["error"] for message in self.of_type("TRACE") if message["trace"]["type"] == "ERROR"]

    @property
    def error_texts(self) -> list[str]:
        return [error["message"] for error in self.errors]

    @property
    def warnings(self) -> list[str]:
        return [m["log"]["message"] for m in self.of_type("LOG") if m["log"]["level"] == "WARN"]

    @property
    def logs(self) -> str:
        return "\n".join(message["log"]["message"] for message in self.of_type("LOG"))

    @property
    def statuses(self) -> list[str]:
        traces = [message["trace"] for message in self.of_type("TRACE")]
        return [trace["stream_status"]["status"] for trace in traces if trace["type"] == "STREAM_STATUS"]

    @property
    def connection(self) -> dict[str, Any]:
        return dict(self.of_type("CONNECTION_STATUS")[-1]["connectionStatus"])


class Connector:
    """The connector, configured for an emulator, with its files in ``folder``."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self._emulator = emulator
        self._folder = folder
        self.environ = {**os.environ, "AMPLITUDE_API_URL": emulator.url, "TMPDIR": str(folder)}

    def config(self, **changes: object) -> dict[str, Any]:
        """Return a configuration for the emulator's project; None removes a field."""
        project = self._emulator.project
        base = {
            "api_key": project.api_key,
            "secret_key": project.secret_key,
            "start_date": "2026-03-04T00:00:00Z",
            "num_workers": 2,
            **changes,
        }
        return {name: value for name, value in base.items() if value is not None}

    def run(self, *arguments: str, program: Path = COMMAND) -> Run:
        done = subprocess.run(
            [sys.executable, str(program), *arguments],
            cwd=PROJECT,
            env=self.environ,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def check(self, **changes: object) -> Run:
        return self.run("check", "--config", self.file("config.json", self.config(**changes)))

    def discover(self, **changes: object) -> Run:
        return self.run("discover", "--config", self.file("config.json", self.config(**changes)))

    def read(
        self,
        state: object = None,
        *,
        mode: str = "incremental",
        streams: tuple[str, ...] = ("events",),
        **changes: object,
    ) -> Run:
        return self.run(*self.reading(state, mode=mode, streams=streams, **changes))

    def reading(
        self,
        state: object = None,
        *,
        mode: str = "incremental",
        streams: tuple[str, ...] = ("events",),
        **changes: object,
    ) -> tuple[str, ...]:
        """Write the files of a read and return its arguments."""
        modes = ["full_refresh", "incremental"]
        configured = [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": modes},
                "sync_mode": mode,
                "destination_sync_mode": "append",
            }
            for name in streams
        ]
        arguments = ["--config", self.file("config.json", self.config(**changes))]
        arguments += ["--catalog", self.file("catalog.json", {"streams": configured})]
        if state is not None:
            arguments += ["--state", self.file("state.json", [state_message(state)])]
        return ("read", *arguments)

    def file(self, name: str, content: object) -> str:
        path = self._folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)


@dataclass(frozen=True)
class Sync:
    """The output of one sync, in order."""

    uuids: list[str]
    states: list[State]
    warnings: str
    errors: list[str]


def sync(connector: Connector, state: object = None, *, mode: str = "incremental", **changes: object) -> Sync:
    """Run one sync through the command line with a changed configuration."""
    run = connector.read(state, mode=mode, **changes)  # type: ignore[arg-type] # the names are the configuration's
    return Sync([record["uuid"] for record in run.records], run.states, "\n".join(run.warnings), run.error_texts)


def state_message(state: object) -> dict[str, Any]:
    """Return a stream's state as a message from Airbyte."""
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"}, "stream_state": state}}


def expected_record(line: bytes) -> Record:
    """Return the expected record of a raw line, without using the connector's code."""
    event = {key: value for key, value in json.loads(line).items() if value is not None}
    for name in DATETIME_FIELDS:
        if event.get(name):
            event[name] = event[name].replace(" ", "T") + "+00:00"
        elif name in event:
            del event[name]
    return event


def by_uuid(records: list[Record]) -> list[Record]:
    """Return the records sorted by uuid, including duplicates."""
    return sorted(records, key=lambda record: str(record["uuid"]))
