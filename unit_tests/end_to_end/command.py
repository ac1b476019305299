"""The connector's command line with short waits; tests run it instead of ``main.py``."""

from __future__ import annotations

import sys

from source_amplitude.api import RetryPolicy, Timeouts
from source_amplitude.export import Limits
from source_amplitude.run import run

SHORT = Limits(
    timeouts=Timeouts(connect_seconds=2, read_seconds=2),
    retry=RetryPolicy(attempts=4, first_wait_seconds=0.01, longest_wait_seconds=0.05, total_seconds=20),
    retry_budget_seconds=20,
    heartbeat_seconds=0.5,
)

if __name__ == "__main__":
    sys.exit(run(limits=SHORT))
