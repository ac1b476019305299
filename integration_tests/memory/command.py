"""The connector's real command line, after which the process notes the most memory it ever had.

``VmHWM`` is the high-water mark of resident memory that the kernel keeps for this program's image. It needs no
polling, and unlike ``ru_maxrss`` it does not begin with the size of the process that started this one.
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
