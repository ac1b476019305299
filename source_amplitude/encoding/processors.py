"""How many processors this process may keep busy."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_processors(quota_file: Path = _QUOTA) -> int:
    """Return the processors that are left by affinity and by a container's quota, at least one.

    Args:
        quota_file: As in cgroup v2: microseconds of processor time and of the period, or ``max`` for the first.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
        return max(1, min(processors, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or one without a quota
        return processors
