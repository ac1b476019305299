"""The two connectors as commands: 0.6.19 behind the proxy, ours with AMPLITUDE_API_URL."""

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
EVENTS_CATALOG = {
    "streams": [
        {
            "stream": {"name": "events", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        }
    ]
}


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and how it ended."""

    exit_code: int
    messages: list[Message]
    stderr: str

    @property
    def records(self) -> list[Record]:
        return [message["record"]["data"] for message in self.messages if message["type"] == "RECORD"]

    @property
    def states(self) -> list[Message]:
        """The state messages' contents, as they may be handed to the next read."""
        return [message["state"] for message in self.messages if message["type"] == "STATE"]

    @property
    def last_state(self) -> Any:  # noqa: ANN401 - any JSON
        return self.states[-1]["stream"]["stream_state"]

    @property
    def failure(self) -> Mapping[str, Any] | None:
        """The first error trace."""
        errors = [m["trace"]["error"] for m in self.messages if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"]
        return errors[0] if errors else None

    @property
    def log(self) -> str:
        return "\n".join(message["log"]["message"] for message in self.messages if message["type"] == "LOG")

    @property
    def connection_status(self) -> Mapping[str, Any]:
        """What check answered."""
        (status,) = [message["connectionStatus"] for message in self.messages if message["type"] == "CONNECTION_STATUS"]
        return dict(status)

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """What discover answered: the properties of each stream's schema."""
        (catalog,) = [message["catalog"] for message in self.messages if message["type"] == "CATALOG"]
        return {stream["name"]: stream["json_schema"]["properties"] for stream in catalog["streams"]}


@dataclass(frozen=True)
class Connector:
    """A connector as its command line; every call is a process of its own."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path

    def check(self, config: Mapping[str, Any]) -> Outcome:
        return self._run("check", config=config)

    def discover(self, config: Mapping[str, Any]) -> Outcome:
        return self._run("discover", config=config)

    def read(self, config: Mapping[str, Any], state: Any = None) -> Outcome:  # noqa: ANN401 - any JSON
        """Read the events; ``state`` is the content of a state message."""
        files: dict[str, Any] = {"config": config, "catalog": EVENTS_CATALOG}
        if state is not None:
            files["state"] = [state]
        return self._run("read", **files)

    def _run(self, command: str, **files: Any) -> Outcome:  # noqa: ANN401 - any JSON
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
        return Outcome(result.returncode, messages, result.stderr.decode("utf-8", "replace"))


def published_connector(proxy: AmplitudeProxy, folder: Path) -> Connector:
    """Return 0.6.19, led to the emulator by a proxy and a certificate alone."""
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
    """Nothing of the caller's that could name another proxy or other certificates; UTC as in Airbyte's containers."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(folder), "TZ": "UTC"}
