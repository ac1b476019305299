"""docs/recipes/several-projects.md: its loops run with three projects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from amplitude_emulator import Emulator, generate_hours
from unit_tests.documents.blocks import blocks, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = page("recipes/several-projects.md")
EVENTS = {"app": 30, "shop": 40, "web": 50}
HOURS = 3


@pytest.fixture
def projects(folder: Path) -> Iterator[dict[str, Emulator]]:
    """Three projects, each with its own keys in the folder."""
    (folder / "keys").mkdir()
    with ExitStack() as stack:
        found = {}
        for number, (name, events) in enumerate(EVENTS.items()):
            emulator = found[name] = stack.enter_context(Emulator(project_id=100 + number, seed=number))
            end = emulator.clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
            generate_hours(
                emulator.store, seed=number, start=end - timedelta(hours=HOURS), end=end, total_events=events
            )
            keys = f"AMPLITUDE_API_KEY={emulator.project.api_key} AMPLITUDE_SECRET_KEY={emulator.project.secret_key}"
            (folder / "keys" / f"{name}.env").write_text(f"export {keys} AMPLITUDE_API_URL={emulator.url}\n")
        yield found


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": f"{folder}/env/bin:{os.environ['PATH']}", "HOME": str(folder), "LANDING_PLACE": "landed"}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_one_loop_lands_all_projects_side_by_side(projects: dict[str, Emulator], folder: Path) -> None:
    loop = blocks(PAGE, "bash")[0]
    (sql,) = blocks(PAGE, "sql")

    landed = run(loop.text, folder)

    with duckdb.connect() as connection:
        rows = connection.execute(sql.text.replace("landed/", f"{folder}/landed/")).fetchall()
    totals = {each.project.project_id: 0 for each in projects.values()}
    for app, _, events in rows:
        totals[int(app)] += events
    assert landed.returncode == 0, landed.stderr
    assert totals == {projects[name].project.project_id: events for name, events in EVENTS.items()}


def test_a_failed_project_does_not_stop_the_others(projects: dict[str, Emulator], folder: Path) -> None:
    loop = blocks(PAGE, "bash")[0]
    projects["app"].faults.add("forbidden")

    landed = run(loop.text, folder)

    assert landed.returncode == 1
    assert sorted(path.name for path in (folder / "landed").iterdir() if (path / "events").exists()) == ["shop", "web"]


def test_one_loop_reads_all_projects_with_their_own_state(projects: dict[str, Emulator], folder: Path) -> None:
    loop = blocks(PAGE, "bash")[1]
    script = f"source-amplitude config > config.yaml\n{loop.text * 2}"

    done = run(script, folder)

    assert done.returncode == 0, done.stderr
    assert {name: records_in(folder / f"{name}.jsonl") for name in projects} == EVENTS


def records_in(path: Path) -> int:
    return sum(json.loads(line)["type"] == "RECORD" for line in path.read_bytes().splitlines())


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_accepts_the_form_of_the_resource(tmp_path: Path) -> None:
    (block,) = blocks(PAGE, "hcl")
    (tmp_path / "main.tf").write_text(block.text)

    done = subprocess.run(["terraform", "fmt", "-check", str(tmp_path)], capture_output=True, check=False)

    assert done.returncode == 0
