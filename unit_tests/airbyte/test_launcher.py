"""Work that a command must do only once, counted with ``sys.setprofile`` while the launcher runs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.utils.memory_monitor import MemoryMonitor

from source_amplitude.airbyte.answers import answer
from source_amplitude.airbyte.connection import Connection
from source_amplitude.airbyte.input_files import load_states, parse_states, read_catalog
from source_amplitude.airbyte.launcher import launch
from source_amplitude.airbyte.secret_filter import secret_texts
from source_amplitude.airbyte.source import SourceAmplitude
from source_amplitude.airbyte.streams import Events
from source_amplitude.airbyte.streams.table_stream import TableStream
from source_amplitude.api import AmplitudeClient
from source_amplitude.commands.airbyte import airbyte_options
from source_amplitude.config import parse_config
from source_amplitude.rows.dashboards import Matrix
from unit_tests.airbyte.streams.host import QUICK
from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

    from amplitude_emulator import Emulator

WATCHED: dict[CodeType, str] = {
    each.__code__: name
    for name, each in {
        "configurations parsed": parse_config,
        "secrets registered": secret_texts,
        "clients built": AmplitudeClient.__init__,
        "events streams built": Events.__init__,
        "table streams built": TableStream.__init__,
        "catalogs parsed": read_catalog,
        "state texts parsed": parse_states,
        "states loaded": load_states,
        "matrices parsed": Matrix.of.__func__,  # type: ignore[attr-defined]
    }.items()
}
ALWAYS = {"configurations parsed": 1, "secrets registered": 1, "clients built": 2}
STREAMS = {"events streams built": 1, "table streams built": 22}
STATES = {"state texts parsed": 1, "states loaded": 1}
READ = {**ALWAYS, **STREAMS, "catalogs parsed": 1, "matrices parsed": 1}


class Command:
    """Runs one command of the launcher in this process and counts calls."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self._emulator = emulator
        self._folder = folder
        self.calls: Counter[str] = Counter()
        self.files: Counter[str] = Counter()
        self.memory_checks = 0

    def run(self, command: str, **options: object) -> int:
        """Run a command with options that name files with these contents."""
        arguments = [command]
        for name, content in options.items():
            (self._folder / name).write_text(json.dumps(content))
            arguments += [f"--{name.replace('_', '-')}", str(self._folder / name)]
        environ = {"AMPLITUDE_API_URL": self._emulator.url}
        with self._counting():
            if command == "read":
                source = SourceAmplitude(limits=QUICK, clock=FakeClock(NOON), environ=environ)
                return launch(source, airbyte_options(arguments))
            return answer(airbyte_options(arguments), Connection.of(QUICK, FakeClock(NOON), environ), environ)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        before = sys.getprofile()
        sys.setprofile(self._count)
        try:
            yield
        finally:
            sys.setprofile(before)

    def _count(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        if frame.f_code in WATCHED:
            self.calls[WATCHED[frame.f_code]] += 1
        elif frame.f_code is MemoryMonitor.check_memory_usage.__code__:
            self.memory_checks += 1
        elif frame.f_code is Path.read_bytes.__code__ and frame.f_locals["self"].parent == self._folder:
            self.files[frame.f_locals["self"].name] += 1


@pytest.fixture
def command(half_a_day: Emulator, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    assert capsysbinary is not None  # the launcher writes to it
    return Command(half_a_day, tmp_path)


@pytest.fixture
def config(half_a_day: Emulator) -> dict[str, Any]:
    project = half_a_day.project
    keys = {"api_key": project.api_key, "secret_key": project.secret_key}
    return {**keys, "start_date": "2026-03-03T00:00:00Z"}


def catalog(*names: str) -> dict[str, Any]:
    sync = {"sync_mode": "incremental", "destination_sync_mode": "append"}
    modes = ["full_refresh", "incremental"]
    streams = [{"stream": {"name": name, "json_schema": {}, "supported_sync_modes": modes}, **sync} for name in names]
    return {"streams": streams}


def state(name: str, **fields: str) -> dict[str, Any]:
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": fields}}


def test_a_check_parses_once(command: Command, config: dict[str, Any]) -> None:
    assert command.run("check", config=config) == 0

    assert command.calls == ALWAYS
    assert command.files == {"config": 1}


def test_a_check_of_an_invalid_configuration_parses_once(command: Command, config: dict[str, Any]) -> None:
    assert command.run("check", config={**config, "data_region": "Moon"}) == 1

    assert command.calls == {"configurations parsed": 1, "secrets registered": 1}
    assert command.files == {"config": 1}


def test_discover_builds_no_stream(command: Command, config: dict[str, Any]) -> None:
    assert command.run("discover", config=config) == 0

    assert command.calls == ALWAYS
    assert command.files == {"config": 1}


@pytest.mark.parametrize("option", ["state", "state_file"])
def test_a_read_builds_and_parses_everything_once(command: Command, config: dict[str, Any], option: str) -> None:
    saved = [state("events", server_upload_time="20260304T07"), state("active_users", date="2026-03-02")]
    files = {"config": config, "catalog": catalog("events", "active_users"), option: saved}

    assert command.run("read", **files) == 0

    assert command.calls == {**READ, **STATES}
    assert command.files == dict.fromkeys(files, 1)


def test_a_read_of_an_unknown_stream_builds_everything_once(command: Command, config: dict[str, Any]) -> None:
    assert command.run("read", config=config, catalog=catalog("active_users", "nonsense")) == 1

    assert command.calls == READ
    assert command.files == {"config": 1, "catalog": 1}


def test_the_memory_monitor_counts_the_records_of_a_batch(
    command: Command, config: dict[str, Any], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert command.run("read", config=config, catalog=catalog("events")) == 0

    messages = [line for line in capsysbinary.readouterr().out.splitlines() if line.startswith(b"{")]
    kinds = Counter(json.loads(line)["type"] for line in messages)
    assert kinds["RECORD"] == 320
    assert command.memory_checks == kinds["RECORD"] + kinds["STATE"] + kinds["TRACE"]
