"""``land``, ``missing``, ``report`` and ``query`` in an environment without the CDK."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit_tests.landing.program import objects_of, oracle, stored
from unit_tests.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from amplitude_emulator import Emulator

PROGRAM = Path(__file__).with_name("without_cdk.py")
SPAN = ("--start", "2026-03-04", "--end", "2026-03-04T10")


@pytest.fixture
def light(emulator: Emulator, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a command line in an environment without the CDK."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "AMPLITUDE_API_URL": emulator.url,
        "AMPLITUDE_API_KEY": emulator.project.api_key,
        "AMPLITUDE_SECRET_KEY": emulator.project.secret_key,
    }

    def run(*words: str) -> tuple[int, str, str]:
        command = (sys.executable, str(PROGRAM), *words)
        done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


def test_landing_commands_need_no_cdk(
    half_a_day: Emulator, light: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    landed = light("land", "--to", "landed", *SPAN)
    missing = light("missing", "--from", "landed", *SPAN)
    report = light("report", "--from", "landed", *SPAN, "--out", "report.html")
    query = light("query", "--from", "landed")

    assert (landed[0], "source-amplitude:" in landed[2]) == (0, False), landed
    assert objects_of(stored(Peer(str(tmp_path / "landed")))) == oracle(half_a_day.store)
    assert (missing[0], missing[1]) == (0, ""), missing
    assert report == (0, "report.html\n", "")
    assert (query[0], query[1].startswith("duckdb -cmd "), query[2]) == (0, True, "")


def test_jsonl_needs_no_cdk(half_a_day: Emulator, light: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, _, problems = light("land", "--to", "lines", *SPAN, "--format", "jsonl")

    objects = objects_of(stored(Peer(str(tmp_path / "lines"))))
    assert (code, len(objects)) == (0, len(half_a_day.store.members())), problems


@pytest.mark.parametrize("command", ["check", "read --catalog catalog.json"])
def test_airbyte_commands_name_the_cdk(light: Callable[..., tuple[int, str, str]], command: str) -> None:
    code, output, problem = light(*command.split(), "--config", "config.json")

    assert (code, output) == (1, "")
    assert problem.startswith("source-amplitude: not installed: airbyte-cdk. Run ")


def test_config_needs_no_cdk(light: Callable[..., tuple[int, str, str]]) -> None:
    code, output, problem = light("config")

    assert (code, "api_key:" in output, problem) == (0, True, "")
