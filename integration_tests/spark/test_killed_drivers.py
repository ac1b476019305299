"""Drivers killed at random times: the next driver continues from the checkpoint."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration_tests.spark.desk import Desk

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]

PROGRAM = Path(__file__).with_name("streaming_program.py")


@pytest.mark.parametrize("late_files", ["ignore", "executors", "driver"])
def test_a_repeatedly_killed_driver_reads_every_record_once(desk: Desk, late_files: str) -> None:
    desk.emulator.faults.add("prepare", seconds=0.1)
    options = {**desk.given(late_files=late_files, windows_per_batch=1, request_time_range=2)}
    job = desk.folder / "job.json"
    job.write_text(json.dumps({"folder": str(desk.folder), "options": options}), encoding="utf-8")
    chance = random.Random(late_files)  # noqa: S311 - for the time of a kill

    kills = 0
    while run_until(job, None if kills == 4 else 9 + 6 * chance.random()) != 0:
        kills += 1

    desk.emulator.faults.clear()
    assert kills > 1
    assert desk.written() == desk.read()


def run_until(job: Path, seconds: float | None) -> int:
    """Run the program, kill it after ``seconds``, and return its exit code."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(job)], stderr=subprocess.DEVNULL, env=os.environ, start_new_session=True
    )
    try:
        return process.wait(seconds or 200)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()
