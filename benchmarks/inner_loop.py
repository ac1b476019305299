"""``python -m benchmarks.inner_loop MEMBER TIMES``: the bare script's work without network, disk and pipe.

Run alone and in parallel, it shows the maximum rate of the machine's cores. It prints its seconds.
"""

from __future__ import annotations

import os
import sys
import time
from io import BytesIO
from pathlib import Path

from benchmarks.bare_script import STDOUT, emit_lines, open_member


def main() -> None:
    """Decompress, parse and write the member repeatedly."""
    packed, times = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    result = os.dup(STDOUT)
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
    started = time.perf_counter()
    for _ in range(times):
        with open_member(BytesIO(packed)) as lines:
            emit_lines(lines)
    os.write(result, f"{time.perf_counter() - started}\n".encode())


if __name__ == "__main__":
    main()
