"""Run one command, read its output as a destination does, and measure time, memory and records."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from benchmarks.machine import Cores, core_times, running_on
from benchmarks.process_memory import ProcessSampler

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORD_LINE = b'\n{"type":"RECORD",'
ANY_LINE = b"\n"
DEFAULT_LIMIT_SECONDS = 1800.0

_READ_BYTES = 64 * 1024  # the capacity of a pipe; larger buffers are slower for the reader and the writer
_SHOWN_CHARS = 2000
_KEPT_VARIABLES = ("PATH", "LANG", "TMPDIR")


class UselessRunError(RuntimeError):
    """A run with meaningless figures."""


class CommandFailedError(UselessRunError):
    """A command failed; the text contains the end of its stderr."""


class TooSlowError(UselessRunError):
    """A command exceeded its time limit and was killed."""


@dataclass(frozen=True)
class Command:
    """A command line with its environment.

    Attributes:
        arguments: The program and its arguments.
        environment: The variables added to the minimal environment of every command.
        folder: The working directory; that of this process if None.
        needle: The bytes that each output record contains exactly once.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    needle: bytes = RECORD_LINE


@dataclass(frozen=True)
class Measured:
    """The costs and the output of one run of a command.

    Attributes:
        seconds: The time from its start to its end.
        cpu_seconds: The processor time of the process and all its descendants.
        own_cpu_seconds: The processor time of the process without its descendants.
        records: The number of needles in the output.
        output_bytes: The number of bytes on stdout.
        peak_bytes: The maximum memory of the process tree, by `ProcessSampler`.
        disk_bytes: The maximum size of open files below the sampled folder.
        processes: The maximum number of concurrent processes.
        foreign_seconds: The time that other processes used on its cores.
        stolen_seconds: The time that the machine's host used on its cores.
    """

    seconds: float
    cpu_seconds: float
    own_cpu_seconds: float
    records: int
    output_bytes: int
    peak_bytes: int
    disk_bytes: int
    processes: int
    foreign_seconds: float
    stolen_seconds: float


def measure(
    command: Command,
    cores: Cores,
    wanted: frozenset[int],
    *,
    limit_seconds: float = DEFAULT_LIMIT_SECONDS,
    disk_folder: Path | None = None,
) -> Measured:
    """Run a command to its end on the given cores.

    Raises:
        CommandFailedError: The exit code is not 0.
        TooSlowError: It exceeded the limit.
    """
    with TemporaryFile() as stderr:
        before = core_times(wanted)
        started = time.perf_counter()
        with running_on(cores, wanted):
            process = start(command, stderr)
        sampler = ProcessSampler(process.pid, disk_folder)
        with _sampled(sampler), _killed_after(process, limit_seconds) as was_killed:
            records, output_bytes = count_output(process.stdout, command.needle)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # its times are readable until wait4
            own_cpu_seconds = _own_cpu_seconds(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            after = core_times(wanted)
            process.returncode = os.waitstatus_to_exitcode(status)
        if was_killed.is_set():
            raise TooSlowError(f"{command.arguments[0]} was killed after {limit_seconds:.0f} s")
        if process.returncode:
            raise CommandFailedError(_failure(command, process.returncode, stderr))
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Measured(
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        own_cpu_seconds=own_cpu_seconds,
        records=records,
        output_bytes=output_bytes,
        peak_bytes=sampler.peak_bytes or usage.ru_maxrss * 1024,
        disk_bytes=sampler.disk_bytes,
        processes=sampler.most_processes,
        foreign_seconds=max(0.0, after.busy - before.busy - cpu_seconds),
        stolen_seconds=after.stolen - before.stolen,
    )


def _own_cpu_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = after_name[11:13]  # fields 14 and 15 of proc(5)
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def start(command: Command, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a command with a pipe as its stdout, in its own process group."""
    return subprocess.Popen(
        command.arguments,
        env=_bare_environment() | dict(command.environment),
        cwd=command.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )


def _bare_environment() -> dict[str, str]:
    """Return the environment without variables that affect Python or proxies; UTC, as in Airbyte's containers."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "HOME": "/nonexistent", "TZ": "UTC"}


@contextmanager
def _sampled(sampler: ProcessSampler) -> Iterator[None]:
    watching = threading.Thread(target=sampler.run, daemon=True)
    watching.start()
    try:
        yield
    finally:
        sampler.ended.set()
        watching.join()


@contextmanager
def _killed_after(process: subprocess.Popen[bytes], limit_seconds: float) -> Iterator[threading.Event]:
    """Kill a process and its descendants after a time limit, or when this process is interrupted."""
    was_killed = threading.Event()

    def kill() -> None:
        was_killed.set()
        _kill(process)

    timer = threading.Timer(limit_seconds, kill)
    timer.daemon = True
    timer.start()
    try:
        yield was_killed
    finally:
        timer.cancel()
        if process.returncode is None:
            _kill(process)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def count_output(stdout: IO[bytes] | None, needle: bytes) -> tuple[int, int]:
    """Return the numbers of needles and bytes in the output; a needle may be split across two reads."""
    if stdout is None:
        raise ValueError("the command has no stdout pipe")
    descriptor, kept = stdout.fileno(), len(needle) - 1
    found = size = 0
    # Treat the start as if after a line feed. The needle of plain lines has one byte and cannot be split.
    tail = b"\n"[:kept]
    while piece := os.read(descriptor, _READ_BYTES):
        found += piece.count(needle) + (tail + piece[:kept]).count(needle)
        size += len(piece)
        tail = (tail + piece)[-kept:] if len(piece) < kept else piece[-kept:] if kept else b""
    return found, size


def _failure(command: Command, code: int, stderr: IO[bytes]) -> str:
    stderr.seek(0)
    complaint = stderr.read().decode("utf-8", "replace")[-_SHOWN_CHARS:]
    return f"{' '.join(command.arguments)} failed with exit code {code}:\n{complaint}"
