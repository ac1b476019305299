"""Run the connector's real command line, then record the peak memory of the process.

``VmHWM`` is the high-water mark of resident memory, recorded by the kernel. It needs no polling, and unlike
``ru_maxrss`` it does not include the parent process.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from source_amplitude.export import Limits
from source_amplitude.run import run

DISK_BYTES, PEAK_FILE = "TEST_DISK_BYTES", "TEST_PEAK_FILE"


def main() -> int:
    disk_bytes = os.environ.get(DISK_BYTES)
    code = run(limits=Limits(disk_bytes=int(disk_bytes)) if disk_bytes else None)
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    Path(os.environ[PEAK_FILE]).write_text(str(int(found[1]) * 1024 if found else 0), encoding="ascii")
    return code


if __name__ == "__main__":
    sys.exit(main())
