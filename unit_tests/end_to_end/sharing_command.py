"""Like `command.py`, but with worker processes from the first batch on."""

from __future__ import annotations

import sys
from dataclasses import replace

from source_amplitude.run import run
from unit_tests.end_to_end.command import SHORT

if __name__ == "__main__":
    sys.exit(run(limits=replace(SHORT, processes_after_bytes=0)))
