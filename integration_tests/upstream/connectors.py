"""The commands of both connectors: 0.6.19 behind the proxy, ours with AMPLITUDE_API_URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integration_tests.upstream.environment import COMMAND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration_tests.upstream.proxy import AmplitudeProxy

Message = dict[str, Any]
Record = dict[str, Any]

MAIN = Path(__file__).parents[2] / "main.py"
TRUST = Path(__file__).parent / "trust"
COMMAND_SECONDS = 100
INCREMENTAL = ("events", "active_users", "average_session_length")


def catalog_of(*streams: str) -> dict[str, Any]:
    """Return a configured catalog; streams with a cursor are incremental."""
    return {
        "streams": [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                "sync_mode": "incremental" if name in INCREMENTAL else "full_refresh",
                "destination_sync_mode": "append",
            }
            for name in streams
        ]
    }


EVENTS_CATALOG = catalog_of("events")


@dataclass(frozen=True)
class CommandResult:
    """The exit code and the output of a command."""

    exit_code: int
    messages: list[Message]
    stderr: str

    @property
    def records(self) -> list[Record]:
        return [message["record"]["data"] for message in self.messages if message["type"] == "RECORD"]

    def of_stream(self, name: str) -> CommandResult:
        """Return a copy with the records and states of one stream."""
        return CommandResult(self.exit_code, [message for message in self.messages if _stream_of(message) == name], "")

    @property
    def states(self) -> list[Message]:
        """The contents of the state messages, as input of the next read."""
        return [message["state"] for message in self.messages if message["type"] == "STATE"]

    @property
    def last_state(self) -> Any:  # noqa: ANN401 - any JSON
        return self.states[-1]["stream"]["stream_state"]

    @property
    def failure(self) -> Mapping[str, Any] | None:
        """The first error trace, or None."""
        errors = [m["trace"]["error"] for m in self.messages if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"]
        return errors[0] if errors else None

    @property
    def log(self) -> str:
        return "\n".join(message["log"]["message"] for message in self.messages if message["type"] == "LOG")

    @property
    def connection_status(self) -> Mapping[str, Any]:
        """The result of check."""
        (status,) = [message["connectionStatus"] for message in self.messages if message["type"] == "CONNECTION_STATUS"]
        return dict(status)

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The properties of each stream's schema, from discover."""
        return {name: stream["json_schema"]["properties"] for name, stream in self.streams.items()}

    @property
    def streams(self) -> dict[str, dict[str, Any]]:
        """The streams of discover by name."""
        (catalog,) = [message["catalog"] for message in self.messages if message["type"] == "CATALOG"]
        return {stream["name"]: stream for stream in catalog["streams"]}


def _stream_of(message: Message) -> str | None:
    if message["type"] == "RECORD":
        return str(message["record"]["stream"])
    return str(message["state"]["stream"]["stream_descriptor"]["name"]) if message["type"] == "STATE" else None


@dataclass(frozen=True)
class Connector:
    """The command line of a connector; every call is a separate process."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path

    def check(self, config: Mapping[str, Any]) -> CommandResult:
        return self._run("check", config=config)

    def discover(self, config: Mapping[str, Any]) -> CommandResult:
        return self._run("discover", config=config)

    def read(self, config: Mapping[str, Any], *states: Message, streams: Sequence[str] = ("events",)) -> CommandResult:
        """Read streams; ``states`` are the contents of state messages."""
        files: dict[str, Any] = {"config": config, "catalog": catalog_of(*streams)}
        if states:
            files["state"] = list(states)
        return self._run("read", **files)

    def _run(self, command: str, **files: Any) -> CommandResult:  # noqa: ANN401 - any JSON
        arguments = [*self.command, command]
        for name, content in files.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", str(path)]
        result = subprocess.run(
            arguments,
            env=dict(self.environment),
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        messages = [json.loads(line) for line in result.stdout.splitlines()]
        return CommandResult(result.returncode, messages, result.stderr.decode("utf-8", "replace"))


def published_connector(proxy: AmplitudeProxy, folder: Path) -> Connector:
    """Return 0.6.19, connected to the emulator only by a proxy and a certificate."""
    environment = {
        "HTTPS_PROXY": proxy.url,
        "REQUESTS_CA_BUNDLE": str(proxy.certificate),
        "PYTHONPATH": str(TRUST),
    }
    return Connector([str(COMMAND)], _bare_environment(folder) | environment, folder)


def our_connector(emulator_url: str, folder: Path) -> Connector:
    environment = _bare_environment(folder) | {"AMPLITUDE_API_URL": emulator_url}
    return Connector([sys.executable, str(MAIN)], environment, folder)


def _bare_environment(folder: Path) -> dict[str, str]:
    """Return the environment without the caller's proxies and certificates; UTC, as in Airbyte's containers."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(folder), "TZ": "UTC"}
