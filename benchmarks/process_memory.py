"""The memory and the temporary files of a process and its descendants, looked up in /proc again and again."""

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
    """Watches a process tree from a thread of its own until told to end.

    One process is measured by ``VmHWM``, which the kernel keeps, so that no peak falls between two samples, and
    which unlike ``ru_maxrss`` does not begin with the size of the process that started this one. Several processes
    are measured by the sum of their ``Pss``, which counts a page that they share once.

    Attributes:
        pid: The first process.
        folder: Whose open files are added up; None for none.
        peak_bytes: The most memory so far; 0 where /proc is missing.
        disk_bytes: The largest sum of the sizes of the open files below ``folder`` so far.
        most_processes: How many processes there were at once.
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
    for parent in pids:  # grows while it is gone through
        try:
            for children in (_PROC / str(parent) / "task").glob("*/children"):
                pids += [pid for pid in map(int, children.read_text(encoding="ascii").split()) if _is_own(pid, parent)]
        except OSError:  # it has just ended
            continue
    return pids


def _is_own(pid: int, parent: int) -> bool:
    """Return whether a process has memory of its own: until it runs another program, it borrows its parent's.

    Seen by its command line, which it borrows as well.
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
    """Return the bytes of each file below a folder that processes have open; it may have no name any more."""
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
