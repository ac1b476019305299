"""How fast PyAirbyte loads our events into DuckDB: ``python -m integration_tests.pyairbyte.speed [EVENTS]``."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from amplitude_emulator import Emulator
from integration_tests.pyairbyte.conftest import FIRST, NOON, put_sample
from integration_tests.pyairbyte.desk import Desk
from integration_tests.pyairbyte.environment import ENVIRONMENT

HOURS = 34
EVENTS = 100_000


def measure(events: int) -> str:
    """Return a line with the events, the seconds, the rate without the start, and the largest process's memory."""
    ENVIRONMENT.make()
    with tempfile.TemporaryDirectory() as folder, Emulator(now=NOON) as emulator:
        desk = Desk(emulator, Path(folder))
        empty = _seconds(desk)
        stored = put_sample(emulator, seed=7, start=FIRST, end=FIRST + timedelta(hours=HOURS), total_events=events)
        size = sum(len(line) for line in emulator.store.lines()) / stored
        seconds = _seconds(desk, expected=stored)
    rate = stored / (seconds - empty)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return (
        f"{stored:,} events of {size:,.0f} bytes: {seconds:.1f} s, of which {empty:.1f} s to start; "
        f"{rate:,.0f} events a second; {peak_mb:,.0f} MB of memory"
    )


def _seconds(desk: Desk, expected: int = 0) -> float:
    began = time.perf_counter()
    answer = desk.read()
    took = time.perf_counter() - began
    assert answer.records == expected, answer
    return took


if __name__ == "__main__":
    sys.stdout.write(f"{measure(int(sys.argv[1]) if sys.argv[1:] else EVENTS)}\n")
