"""The commands of README.md, run in order, with the project installed in `env`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator, generate_hours
from unit_tests.documents.blocks import PROJECT, blocks, section

if TYPE_CHECKING:
    from collections.abc import Iterator

README = (PROJECT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 140
SETTING_UP = ("python3 -m venv", "export ")
EVENTS, HOURS = 300, 6


@pytest.fixture
def recent() -> Iterator[Emulator]:
    """An Amplitude of today, with events of the last hours."""
    with Emulator() as emulator:
        end = emulator.clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
        generate_hours(emulator.store, seed=1, start=end - timedelta(hours=HOURS), end=end, total_events=EVENTS)
        yield emulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project's folder after the installation."""
    (tmp_path / "env" / "bin").mkdir(parents=True)
    for program in ("source-amplitude", "python"):
        (tmp_path / "env" / "bin" / program).write_text(f'exec {Path(sys.executable).with_name(program)} "$@"\n')
        (tmp_path / "env" / "bin" / program).chmod(0o755)
    (tmp_path / "integration_tests").symlink_to(PROJECT / "integration_tests")
    return tmp_path


def commands(title: str) -> str:
    """Return the commands of a section's first shell block, without the set-up."""
    text = blocks(section(README, title), "sh")[0].text
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(SETTING_UP))


def shell(script: str, folder: Path, emulator: Emulator) -> str:
    """Run a script, check that it succeeds, and return its output."""
    keys = {"AMPLITUDE_API_KEY": emulator.project.api_key, "AMPLITUDE_SECRET_KEY": emulator.project.secret_key}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **keys, "AMPLITUDE_API_URL": emulator.url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_yesterdays_events_become_a_table(recent: Emulator, folder: Path) -> None:
    printed = shell(commands("Yesterday's events in a table"), folder, recent)

    most_frequent = Counter(str(event["event_type"]) for event in recent.store.events()).most_common(3)
    assert [name in printed and str(count) in printed for name, count in most_frequent] == [True] * 3


def test_daily_commands_land_and_draw_all_hours(recent: Emulator, folder: Path) -> None:
    shell("env/bin/source-amplitude config > config.yaml", folder, recent)
    destination = folder / "landed"

    script = commands("Every day").replace("s3://your-bucket/amplitude", str(destination))
    printed = shell(script, folder, recent)

    events = sum(json.loads(path.read_text("utf-8"))["events"] for path in destination.glob("_manifest/*/*.json"))
    assert events == EVENTS
    assert printed.splitlines()[-1] == "report.html"
    assert f"{EVENTS}" in (folder / "report.html").read_text(encoding="utf-8")
