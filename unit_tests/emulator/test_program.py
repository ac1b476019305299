from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from amplitude_emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY_SECONDS = 15


@contextmanager
def program(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    ready_file = tmp_path / "ready.json"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "amplitude_emulator", "--ready-file", str(ready_file)]
    command += ["--now", "2026-03-04T12:00:00Z", "--sample-days", "0.5", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            pause = threading.Event()
            for _ in range(READY_SECONDS * 50):
                if ready_file.exists() or process.poll() is not None:
                    break
                pause.wait(0.02)
            yield process, json.loads(ready_file.read_text())
        finally:
            process.kill()


def read(url: str) -> bytes:
    with urlopen(url) as response:  # noqa: S310 - the emulator's own address
        body: bytes = response.read()
    return body


@pytest.mark.parametrize("end_signal", [signal.SIGTERM, signal.SIGINT])
def test_program_prints_its_usage_and_exits_cleanly(tmp_path: Path, end_signal: signal.Signals) -> None:
    with program(tmp_path, "--events", "50") as (process, ready):
        events = read(f"{ready['url']}/_emulator/events").splitlines()
        process.send_signal(end_signal)
        greeting, _ = process.communicate(timeout=10)

    assert process.returncode == 0
    assert len(events) == 50
    assert f"A local Amplitude is listening at {ready['url']}" in greeting
    exports = [line.strip() for line in greeting.splitlines() if line.startswith("  export ")]
    assert exports == [
        f"export AMPLITUDE_API_URL={ready['url']}",
        f"export AMPLITUDE_API_KEY={ready['api_key']} AMPLITUDE_SECRET_KEY={ready['secret_key']} AMPLITUDE_REGION=us",
    ]
    assert f"curl -u {ready['api_key']}:{ready['secret_key']} " in greeting
    assert "50 sample events" in greeting


def test_members_in_a_data_directory_survive_a_restart(tmp_path: Path) -> None:
    arguments = ["--events", "50", "--data-dir", str(tmp_path / "data")]
    with program(tmp_path, *arguments) as (_, ready):
        first = read(f"{ready['url']}/_emulator/events")
    with program(tmp_path, *arguments) as (_, ready):
        second = read(f"{ready['url']}/_emulator/events")

    assert first == second
    assert first


def test_only_loopback_hosts_are_allowed() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "example.com"):  # noqa: S104 - must be refused
        with pytest.raises(ValueError, match="is not a loopback address"):
            Emulator(host=host)


def test_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        emulator = Emulator(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="address already in use"):
            emulator.start()
        emulator.stop()


def test_stopped_emulator_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="is not running"):
        _ = Emulator().url


def test_keys_are_derived_from_the_seed() -> None:
    first, second, other = Emulator(seed=1), Emulator(seed=1), Emulator(seed=2)

    assert first.project == second.project
    assert first.project.api_key != other.project.api_key


def test_more_projects_get_the_next_id_and_their_own_keys() -> None:
    emulator = Emulator()
    added = emulator.add_project(region="eu")

    assert (added.project_id, added.region) == (100201, "eu")
    assert added.api_key != emulator.project.api_key
    assert emulator.projects == [emulator.project, added]


def test_project_ids_are_unique() -> None:
    with pytest.raises(ValueError, match="Project 100200 already exists"):
        Emulator().add_project(project_id=100200)
