"""``make demo``: its steps, its answer and what it leaves behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import demo

if TYPE_CHECKING:
    import pytest

PROJECT = Path(__file__).parents[1]


def test_the_demo_installs_only_what_it_runs() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo"], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert re.findall(r"pip install (.*?) -e '([^']*)'", done.stdout) == [
        (" --python .venv/bin/python", ".[emulator,land,query]"),  # with uv
        ("--no-compile --disable-pip-version-check", ".[emulator,land,query]"),
    ]
    assert re.findall(r"about \d+ packages, \d+ MB on disk, [a-z ]+ the first time", done.stdout) != []


def test_the_demo_answers_a_question_and_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("amplitude_emulator", "source_amplitude", "demo.py"):
        (tmp_path / name).symlink_to(PROJECT / name)
    (tmp_path / "run_demo.py").write_text(
        "import pathlib, sys, demo\n"
        "demo.PROJECT = pathlib.Path.cwd(); demo.FOLDER = demo.PROJECT / '.demo'; demo.EVENTS_PER_HOUR = 20\n"
        "sys.exit(demo.main())\n"
    )
    monkeypatch.setenv("NO_COLOR", "1")

    done = subprocess.run(
        [sys.executable, "run_demo.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )

    assert (done.returncode, done.stderr) == (0, "")
    answer = done.stdout.partition("event_type,events\n")[2].partition("\n\n")[0].splitlines()
    counts = [int(line.rpartition(",")[2]) for line in answer]
    assert (len(answer), counts) == (7, sorted(counts, reverse=True))
    assert "0 new records after" in done.stdout
    assert "FILE" not in done.stdout
    assert processes_in(tmp_path) == []


def processes_in(folder: Path) -> list[str]:
    """Return the processes whose working directory is ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_text())
        except OSError:  # ended, or another user's
            continue
    return found


def test_the_configuration_names_the_keys_and_does_not_hold_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    for name in ("AMPLITUDE_API_URL", "AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY"):
        monkeypatch.setenv(name, "")

    demo.export_settings({"url": "http://127.0.0.1:9", "api_key": "a-key", "secret_key": "a-secret"})

    fields = [line.partition(": ")[0] for line in (tmp_path / "config.yaml").read_text().splitlines()]
    assert fields == ["api_key", "secret_key", "start_date"]
    assert "a-secret" not in (tmp_path / "config.yaml").read_text()
    assert os.environ["AMPLITUDE_SECRET_KEY"] == "a-secret"
