"""Measure the speed of PyAirbyte with DuckDB: ``python -m integration_tests.pyairbyte.speed [EVENTS]``."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from amplitude_emulator import Emulator
from integration_tests.pyairbyte.conftest import FIRST, NOON, put_sample
from integration_tests.pyairbyte.environment import ENVIRONMENT
from integration_tests.pyairbyte.sandbox import Sandbox

HOURS = 34
EVENTS = 100_000


def measure(events: int) -> str:
    """Return a line with events, seconds, rate without the start, and memory of the largest process."""
    ENVIRONMENT.make()
    with tempfile.TemporaryDirectory() as folder, Emulator(now=NOON) as emulator:
        sandbox = Sandbox(emulator, Path(folder))
        empty = _seconds(sandbox)
        stored = put_sample(emulator, seed=7, start=FIRST, end=FIRST + timedelta(hours=HOURS), total_events=events)
        size = sum(len(line) for line in emulator.store.lines()) / stored
        seconds = _seconds(sandbox, expected=stored)
    rate = stored / (seconds - empty)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return (
        f"{stored:,} events of {size:,.0f} bytes: {seconds:.1f} s, including {empty:.1f} s to start; "
        f"{rate:,.0f} events a second; {peak_mb:,.0f} MB of memory"
    )


def _seconds(sandbox: Sandbox, expected: int = 0) -> float:
    began = time.perf_counter()
    result = sandbox.read()
    took = time.perf_counter() - began
    assert result.records == expected, result
    return took


if __name__ == "__main__":
    sys.stdout.write(f"{measure(int(sys.argv[1]) if sys.argv[1:] else EVENTS)}\n")
