"""The machine: the assignment of its cores, and its description in a report."""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CPU_INFORMATION = Path("/proc/cpuinfo")
_CPU_TIMES = Path("/proc/stat")


@dataclass(frozen=True)
class Cores:
    """The processor cores that this process may use, in order.

    The first one runs the emulator and the reader, the last ones run the measured program.
    """

    usable: tuple[int, ...]
    can_pin: bool

    @property
    def is_pinned(self) -> bool:
        """Whether a program measured on one core has this core for itself."""
        return self.can_pin and len(self.usable) > 1

    @property
    def serving(self) -> frozenset[int]:
        """The cores of the emulator and of the process that reads and counts."""
        return frozenset(self.usable[:1])

    def measured(self, count: int) -> frozenset[int]:
        """Return ``count`` cores for the measured program."""
        return frozenset(self.usable[-count:])


def find_cores() -> Cores:
    """Return the cores; if the system cannot pin processes, they are only counted."""
    if hasattr(os, "sched_getaffinity"):
        return Cores(tuple(sorted(os.sched_getaffinity(0))), can_pin=True)
    return Cores(tuple(range(os.cpu_count() or 1)), can_pin=False)


@contextmanager
def running_on(cores: Cores, wanted: frozenset[int]) -> Iterator[None]:
    """Pin this thread, and the processes that it starts, to cores."""
    if not cores.is_pinned:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class CoreTimes:
    """The times of cores since the machine started, in seconds.

    Attributes:
        busy: The time of running processes.
        stolen: The time when the host of a virtual machine ran something else.
    """

    busy: float
    stolen: float


def core_times(wanted: frozenset[int]) -> CoreTimes:
    """Return the times of the cores; empty if the system does not report them."""
    try:
        lines = _CPU_TIMES.read_text(encoding="ascii").splitlines()
    except OSError:
        return CoreTimes(0.0, 0.0)
    ticks_per_second = os.sysconf("SC_CLK_TCK")
    names = {f"cpu{core}" for core in wanted}
    rows = [list(map(int, fields)) for name, *fields in map(str.split, lines) if name in names]
    # user, nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen
    busy = sum(sum(row[:3]) + sum(row[5:7]) for row in rows)
    return CoreTimes(busy / ticks_per_second, sum(row[7] for row in rows) / ticks_per_second)


def describe_machine(cores: Cores) -> dict[str, str]:
    """Return the facts for comparing figures with those of another machine."""
    pinned = "one for the measured program, one for the emulator and the reader" if cores.is_pinned else "not pinned"
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": _processor(),
        "cores": f"{len(cores.usable)} ({pinned})",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load average before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    try:
        lines = _CPU_INFORMATION.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
