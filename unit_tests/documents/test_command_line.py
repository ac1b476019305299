"""docs/command-line.md: its commands run in their order, after the project is installed in ``env``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator, generate_hours
from unit_tests.documents.blocks import PROJECT, blocks, page, section

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = page("command-line.md")
SET_UP = ("python3 -m venv", "export ", "env/bin/pip")
EVENTS, HOURS = 300, 6


@pytest.fixture
def recent() -> Iterator[Emulator]:
    """An Amplitude with today's clock and some events of the last hours."""
    with Emulator() as emulator:
        end = emulator.clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
        generate_hours(emulator.store, seed=1, start=end - timedelta(hours=HOURS), end=end, total_events=EVENTS)
        yield emulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project's folder after the installation."""
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "source-amplitude").symlink_to(Path(sys.executable).with_name("source-amplitude"))
    (tmp_path / "integration_tests").symlink_to(PROJECT / "integration_tests")
    return tmp_path


def commands(title: str) -> str:
    """Return a section's shell commands without those that install."""
    (block,) = blocks(section(PAGE, title), "sh")
    return "".join(line for line in block.text.splitlines(keepends=True) if not line.startswith(SET_UP))


def shell(script: str, folder: Path, emulator: Emulator) -> None:
    """Run a script, which must succeed."""
    keys = {"AMPLITUDE_API_KEY": emulator.project.api_key, "AMPLITUDE_SECRET_KEY": emulator.project.secret_key}
    ended = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **keys, "AMPLITUDE_API_URL": emulator.url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def start_yesterday(folder: Path, emulator: Emulator) -> None:
    """Change ``start_date`` in the configuration, as the page asks for."""
    path = folder / "config.yaml"
    yesterday = emulator.clock.now() - timedelta(days=1)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("2021-01-25T00:00:00Z", f"{yesterday:%Y-%m-%dT%H:00:00Z}"), encoding="utf-8")


def records_in(path: Path) -> int:
    return sum(json.loads(line)["type"] == "RECORD" for line in path.read_bytes().splitlines())


def test_second_run_of_the_commands_reads_only_what_is_new(recent: Emulator, folder: Path) -> None:
    config, rest = commands("With your own project").split("config.yaml\n", 1)

    shell(config + "config.yaml\n", folder, recent)
    start_yesterday(folder, recent)
    shell(rest, folder, recent)
    first = records_in(folder / "messages.jsonl")
    shell(rest, folder, recent)

    assert (first, records_in(folder / "messages.jsonl")) == (EVENTS, EVENTS)


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page's command needs jq")
def test_the_catalog_command_selects_every_stream(recent: Emulator, folder: Path) -> None:
    shell("env/bin/source-amplitude config > config.yaml", folder, recent)

    shell(commands("A catalog of all streams"), folder, recent)

    streams = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))["streams"]
    known = json.loads((PROJECT / "unit_tests/golden/catalog.json").read_text(encoding="utf-8"))["catalog"]["streams"]
    assert [each["stream"]["name"] for each in streams] == [each["name"] for each in known]
    assert {each["sync_mode"] for each in streams} == {"full_refresh", "incremental"}
