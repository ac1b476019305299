"""Sample the memory and the temporary files of a process tree in /proc."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLE_SECONDS = 0.02

_PROC = Path("/proc")
_PEAK_LINE = re.compile(r"VmHWM:\s+(\d+) kB")
_PROPORTIONAL_LINE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_RESIDENT_LINE = re.compile(r"VmRSS:\s+(\d+) kB")


@dataclass
class ProcessSampler:
    """Samples a process tree in its own thread until `ended` is set.

    A single process is measured by ``VmHWM``: the kernel records it, so no peak is missed between samples, and unlike
    ``ru_maxrss`` it does not include the parent process. Several processes are measured by the sum of their ``Pss``,
    which counts a shared page once.

    Attributes:
        pid: The root of the process tree.
        folder: The folder whose open files are summed; None for no folder.
        peak_bytes: The maximum memory so far; 0 without /proc.
        disk_bytes: The largest sum of the sizes of the open files below ``folder`` so far.
        most_processes: The maximum number of concurrent processes so far.
    """

    pid: int
    folder: Path | None = None
    peak_bytes: int = 0
    disk_bytes: int = 0
    most_processes: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Sample until `ended` is set."""
        self._sample()
        while not self.ended.wait(SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        pids = _tree(self.pid)
        self.most_processes = max(self.most_processes, len(pids))
        self.peak_bytes = max(self.peak_bytes, _kilobytes(_PROC / str(self.pid) / "status", _PEAK_LINE))
        if len(pids) > 1:
            self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, pids)))
        if self.folder is not None:
            self.disk_bytes = max(self.disk_bytes, sum(open_file_sizes(pids, self.folder)))


def _tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    pids = [pid]
    for parent in pids:  # grows during the iteration
        try:
            for children in (_PROC / str(parent) / "task").glob("*/children"):
                pids += [pid for pid in map(int, children.read_text(encoding="ascii").split()) if _is_own(pid, parent)]
        except OSError:  # it has just ended
            continue
    return pids


def _is_own(pid: int, parent: int) -> bool:
    """Return whether a process has its own memory: before exec, it shares its parent's.

    Before exec, its command line equals its parent's.
    """
    return _command_line(pid) != _command_line(parent)


def _command_line(pid: int) -> bytes:
    return (_PROC / str(pid) / "cmdline").read_bytes()


def _resident_bytes(pid: int) -> int:
    folder = _PROC / str(pid)
    return _kilobytes(folder / "smaps_rollup", _PROPORTIONAL_LINE) or _kilobytes(folder / "status", _RESIDENT_LINE)


def _kilobytes(path: Path, line: re.Pattern[str]) -> int:
    try:
        found = line.search(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return 0
    return int(found[1]) * 1024 if found else 0


def open_file_sizes(pids: Iterable[int], folder: Path) -> list[int]:
    """Return the size of each open file below a folder, including deleted ones."""
    sizes: dict[int, int] = {}
    for pid in pids:
        try:
            for descriptor in (_PROC / str(pid) / "fd").iterdir():
                if str(descriptor.readlink()).startswith(f"{folder}/"):
                    status = descriptor.stat()
                    sizes[status.st_ino] = status.st_size
        except OSError:  # the process or one of its files has just ended
            continue
    return list(sizes.values())
