"""All commands except ``read`` in an environment without the CDK."""

from __future__ import annotations

import json
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
GOLDEN_CATALOG = Path(__file__).parents[1] / "golden/catalog.json"
OUTLOOK = "A first read of events reads 24 hours from 2026-03-04 00:00 UTC to 2026-03-05 00:00 UTC."
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


def test_check_and_discover_need_no_cdk(
    emulator: Emulator, light: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    keys = {"api_key": "${AMPLITUDE_API_KEY}", "secret_key": "${AMPLITUDE_SECRET_KEY}"}
    config = keys | {"start_date": "2026-03-04T00:00:00Z", "end_date": "2026-03-05T00:00:00Z"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")

    check = light("check", "--config", "config.json")
    discover = light("discover", "--config", "config.json")

    assert [each[::2] for each in (check, discover)] == [(0, "")] * 2
    assert [json.loads(line) for line in check[1].splitlines()] == [
        {"type": "LOG", "log": {"level": "INFO", "message": OUTLOOK}},
        {"type": "LOG", "log": {"level": "INFO", "message": "Check succeeded"}},
        {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}},
    ]
    assert json.loads(discover[1]) == json.loads(GOLDEN_CATALOG.read_text(encoding="utf-8"))
    assert [seen.status for seen in emulator.requests] == [404]


def test_read_names_the_cdk(light: Callable[..., tuple[int, str, str]]) -> None:
    code, output, problem = light("read", "--catalog", "catalog.json", "--config", "config.json")

    assert (code, output) == (1, "")
    assert problem.startswith("source-amplitude: not installed: airbyte-cdk. Run ")


def test_config_needs_no_cdk(light: Callable[..., tuple[int, str, str]]) -> None:
    code, output, problem = light("config")

    assert (code, "api_key:" in output, problem) == (0, True, "")
