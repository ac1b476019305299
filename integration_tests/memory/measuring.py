"""Run the connector against an emulator, and measure memory, disk and records without storing the records."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import RECORD_LINE, count_output
from benchmarks.process_memory import open_file_sizes
from integration_tests.memory.command import DISK_BYTES, PEAK_FILE
from unit_tests.end_to_end.connector import PROJECT, Connector

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

COMMAND = Path(__file__).with_name("command.py")
SAMPLE_SECONDS = 0.01


@dataclass(frozen=True)
class Measured:
    """One sync: its exit code, records, peak memory and peak disk usage.

    Attributes:
        disk_bytes: The maximum sampled total size of its open temporary files.
        disk_bytes_waiting: The same without the largest file.
    """

    exit_code: int
    records: int
    output_bytes: int
    peak_bytes: int
    disk_bytes: int
    disk_bytes_waiting: int
    seconds: float
    stderr: str

    def __str__(self) -> str:
        return (
            f"peak memory {self.peak_bytes / 1e6:.1f} MB, disk {self.disk_bytes / 1e6:,.0f} MB, "
            f"{self.records:,} records and {self.output_bytes / 1e6:,.0f} MB of output in {self.seconds:.0f} s"
        )


@dataclass
class _DiskSampler:
    """Samples the total size of a process's open (deleted) files below a folder."""

    pid: int
    folder: Path
    most_bytes: int = 0
    most_bytes_waiting: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ended.wait(SAMPLE_SECONDS):
            sizes = sorted(open_file_sizes([self.pid], self.folder))
            self.most_bytes = max(self.most_bytes, sum(sizes))
            self.most_bytes_waiting = max(self.most_bytes_waiting, sum(sizes[:-1]))


def measure(
    emulator: Emulator,
    folder: Path,
    *,
    start_date: str,
    request_time_range: int = 24,
    num_workers: int = 2,
    disk_bytes: int | None = None,
) -> Measured:
    """Run one read from ``start_date``, with temporary files in ``folder``."""
    connector = Connector(emulator, folder)
    arguments = connector.reading(start_date=start_date, request_time_range=request_time_range, num_workers=num_workers)
    peak_file = folder / "peak"
    environ = {**connector.environ, PEAK_FILE: str(peak_file)}
    if disk_bytes is not None:
        environ[DISK_BYTES] = str(disk_bytes)
    started = time.monotonic()
    with (folder / "stderr").open("w+b") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(COMMAND), *arguments],
            cwd=PROJECT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
        sampler = _DiskSampler(process.pid, folder)
        watching = threading.Thread(target=sampler.run, daemon=True)
        watching.start()
        try:
            with process:
                records, output_bytes = count_output(process.stdout, RECORD_LINE)
        finally:
            sampler.ended.set()
            watching.join()
            process.kill()
        stderr.seek(0)
        complaints = stderr.read().decode()
    return Measured(
        process.returncode,
        records,
        output_bytes,
        int(peak_file.read_text(encoding="ascii")) if peak_file.exists() else 0,
        sampler.most_bytes,
        sampler.most_bytes_waiting,
        time.monotonic() - started,
        complaints,
    )
