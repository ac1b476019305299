"""Encode in several worker processes, with results in order and one writing process.

The workers get batches in turn, and the results are taken in the same order. Only the main process writes stdout, the
ledger and the archives. It keeps every batch until it has the result: a state is never ahead of the records, and a lost
worker loses no data.
"""

from __future__ import annotations

import logging
import mmap
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from source_amplitude.encoding.encoded import BATCH_BYTES, Encoded, HasBody
from source_amplitude.errors import counted
from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from source_amplitude.encoding.json_lines import JsonLines

B = TypeVar("B", bound=HasBody)

_logger = logging.getLogger("airbyte")

SLOTS = 4
BATCH_ROOM_BYTES = 768 * 1024
RESULT_ROOM_BYTES = 1024 * 1024

_SLOT_BYTES = BATCH_ROOM_BYTES + RESULT_ROOM_BYTES
_MEMORY_BYTES = SLOTS * _SLOT_BYTES
_SHARED_BATCH_BYTES = 384 * 1024
_PACKAGE_FOLDER = Path(__file__).parents[2]
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class SharedSlots:
    """Shared memory of two processes. Batches and results are numbered from 0 and use the slots in turn.

    With several slots a worker has its next batches while it encodes one and while the main process unpacks a member
    (measured with two workers on two cores: four slots reach 1.6 times the rate of one process, two slots 1.4 times). A
    socket alone would copy every batch and result in pieces, with a context switch for each.

    Args:
        descriptor: The descriptor of a file from `memory_file`. The caller may close it afterwards.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _MEMORY_BYTES)

    def put_batch(self, number: int, body: bytes) -> None:
        """Write a batch of at most `BATCH_ROOM_BYTES` bytes."""
        self._write(number % SLOTS * _SLOT_BYTES, body)

    def batch_parts(self, number: int, batch_bytes: int, part_bytes: int) -> Iterator[bytes]:
        """Yield copies of the lines of a batch in parts of about ``part_bytes``, each with at least one line."""
        start = number % SLOTS * _SLOT_BYTES
        end = start + batch_bytes
        while start < end:
            cut = self._memory.find(b"\n", min(start + part_bytes, end) - 1, end) + 1 or end
            yield self._memory[start:cut]
            start = cut

    def put_result(self, number: int, start: int, payload: bytes) -> None:
        """Write a part of a batch's result at ``start``; it must end within `RESULT_ROOM_BYTES`."""
        self._write(number % SLOTS * _SLOT_BYTES + BATCH_ROOM_BYTES + start, payload)

    def result(self, number: int, payload_bytes: int) -> bytes:
        start = number % SLOTS * _SLOT_BYTES + BATCH_ROOM_BYTES
        return self._memory[start : start + payload_bytes]

    def close(self) -> None:
        self._memory.close()

    def _write(self, start: int, data: bytes) -> None:
        self._memory[start : start + len(data)] = data


def memory_file() -> int:
    """Return the descriptor of an unnamed file for `SharedSlots`, in memory if the system supports it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("source-amplitude")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, _MEMORY_BYTES)
    return descriptor


class WorkerLostError(Exception):
    """A worker process ended."""


class Worker:
    """A process of `source_amplitude.encoding.worker` with up to `SLOTS` pending batches."""

    def __init__(self, prefix: bytes) -> None:
        self._given = self._taken = 0
        self._connection, theirs = Pipe()
        memory = memory_file()
        try:
            self._slots = SharedSlots(memory)
            self._process = _start(theirs.fileno(), memory)
        finally:
            theirs.close()
            os.close(memory)
        self._send(prefix)

    @property
    def has_room(self) -> bool:
        """Whether the worker can accept another batch before a result is taken."""
        return self._given - self._taken < SLOTS

    def give(self, body: bytes, suffix: bytes) -> None:
        """Send a batch of at most `BATCH_ROOM_BYTES` bytes; raise a WorkerLostError if the process has ended."""
        self._slots.put_batch(self._given, body)
        self._given += 1
        self._send(b"%d %b" % (len(body), suffix))

    def take(self) -> Encoded[bytes]:
        """Wait for the oldest pending result; raise a WorkerLostError if the process has ended."""
        try:
            placed_bytes, records, lines, malformed, findings = self._connection.recv()
            payload = self._slots.result(self._taken, placed_bytes) + self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise WorkerLostError from error
        finally:
            self._taken += 1
        return Encoded(payload, records, lines, malformed, findings or NO_FINDINGS)

    def close(self) -> int:
        """End the process and return its exit code."""
        self._connection.close()
        self._slots.close()
        return self._process.wait()

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send_bytes(data)
        except OSError as error:
            raise WorkerLostError from error


def _start(*descriptors: int) -> subprocess.Popen[bytes]:
    """Start `source_amplitude.encoding.worker` with inherited descriptors."""
    import_path = [str(_PACKAGE_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Ctrl-C and a container's stop signal every process, but only the main process decides when to end. A worker
    # inherits the blocked signals from its first instruction on.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "source_amplitude.encoding.worker", *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(import_path)},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ProcessPoolEncoder:
    """Encodes JSON lines in this process first, and in worker processes after ``start_after_bytes``.

    Args:
        suffix: Returns the suffix of each record of a batch.
        processes: Number of workers; with fewer than two, everything is encoded in this process.
        start_after_bytes: Bytes to encode in this process before the workers are started.
    """

    def __init__(self, lines: JsonLines, suffix: Callable[[], bytes], processes: int, start_after_bytes: int) -> None:
        self._lines = lines
        self._suffix = suffix
        self._processes = processes if processes > 1 and os.name == "posix" else 0
        self._bytes_until_start = start_after_bytes
        self._workers: deque[Worker] = deque()

    def batch_bytes(self) -> int:
        return _SHARED_BATCH_BYTES if self._workers else BATCH_BYTES

    def encode_ordered(self, batches: Iterable[B]) -> Generator[tuple[B, Encoded[bytes]], None, None]:
        """Yield batches as `Encoding` does. Batches are read ahead until all slots are full."""
        given: deque[tuple[Worker, B]] = deque()
        failures: list[Exception] = []
        try:
            for batch in _until_failure(batches, failures):
                self._start_when_due(len(batch.body))
                done = []
                while given and not self._can_give(batch):
                    done.append(self._take_oldest(given))
                if self._can_give(batch):
                    self._give(batch, given)
                    yield from done
                else:
                    yield from done
                    yield batch, self._lines.encode(batch.body, self._suffix())
            while given:
                yield self._take_oldest(given)
            if failures:  # raise after all earlier results were emitted
                raise failures[0]
        finally:
            for worker, _ in given:  # drop abandoned results: a later batch would get them
                with suppress(WorkerLostError):
                    worker.take()

    def close(self) -> None:
        while self._workers:
            self._workers.pop().close()

    def _start_when_due(self, more_bytes: int) -> None:
        """Start the workers, once, after `start_after_bytes`."""
        self._bytes_until_start -= more_bytes
        if self._bytes_until_start > 0 or not self._processes:
            return
        try:
            for _ in range(self._processes):
                self._workers.append(Worker(self._lines.prefix))
        except (OSError, WorkerLostError) as error:
            _logger.warning(
                "Started only %d of %d encoding workers (%s). The sync continues with these.",
                len(self._workers),
                self._processes,
                error,
            )
        self._processes = 0

    def _can_give(self, batch: HasBody) -> bool:
        return bool(self._workers) and self._workers[0].has_room and len(batch.body) <= BATCH_ROOM_BYTES

    def _give(self, batch: B, given: deque[tuple[Worker, B]]) -> None:
        """Give the next worker in turn a batch."""
        worker = self._workers[0]
        self._workers.rotate(-1)
        given.append((worker, batch))
        with suppress(WorkerLostError):  # `_take_oldest` notices it again
            worker.give(batch.body, self._suffix())

    def _take_oldest(self, given: deque[tuple[Worker, B]]) -> tuple[B, Encoded[bytes]]:
        """Return the oldest batch with its result, from its worker or, if the worker is lost, from this process."""
        worker, batch = given.popleft()
        try:
            return batch, worker.take()
        except WorkerLostError:
            if worker in self._workers:
                self._workers.remove(worker)
                _logger.warning(
                    "An encoding worker ended (exit code %d). The main process encodes its batches again: no records "
                    "are lost or duplicated. The sync continues with %s.",
                    worker.close(),
                    counted(len(self._workers), "worker"),
                )
            return batch, self._lines.encode(batch.body, self._suffix())


def _until_failure(batches: Iterable[B], failures: list[Exception]) -> Iterator[B]:
    """Yield batches up to the first error, and append that error to ``failures``."""
    try:
        yield from batches
    except Exception as error:  # noqa: BLE001 - raised again by the caller
        failures.append(error)


def usable_processors(quota_file: Path = _QUOTA) -> int:
    """Return the number of processors that CPU affinity and a container's quota allow, at least one.

    Args:
        quota_file: The quota of cgroup v2: microseconds of processor time (or ``max``) and of the period.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
        return max(1, min(processors, int(quota) // int(period)))
    except (OSError, ValueError):  # not a container, or a container without a quota
        return processors
