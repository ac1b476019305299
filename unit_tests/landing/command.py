"""The real command line with short waits and the clock set to LANDING_NOW; tests run it as a process."""

from __future__ import annotations

import os
import sys
from datetime import datetime

from source_amplitude.run import run
from unit_tests.end_to_end.command import SHORT
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.landing.program import STORE_LIMITS

if __name__ == "__main__":
    clock = FakeClock(datetime.fromisoformat(os.environ["LANDING_NOW"]))
    sys.exit(run(limits=SHORT, store_limits=STORE_LIMITS, clock=clock))
