"""Encoding across several processes, results in order, one process writing.

Batches are handed round to the workers and their results taken in the same order. Only this process touches
stdout, the ledger or the archives, and it holds every batch until it has the result: a state can never be ahead of the
records, and a worker that is lost loses nothing.
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
    """Memory that two processes map: batches and results are numbered from 0 on and use its places in turn.

    With several places a worker has its next batch before it has finished one, and has enough of them while the other
    process unpacks a member (measured with two workers on two cores: four places 1.6 times the rate of one process, two
    places 1.4); through a socket alone every batch and result would be copied in pieces, with a change of processes for
    each.

    Args:
        descriptor: Of the file from `memory_file`; may be closed afterwards.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _MEMORY_BYTES)

    def put_batch(self, number: int, body: bytes) -> None:
        """Write a batch of at most `BATCH_ROOM_BYTES`."""
        self._write(number % SLOTS * _SLOT_BYTES, body)

    def batch_parts(self, number: int, batch_bytes: int, part_bytes: int) -> Iterator[bytes]:
        """Yield copies of the lines of a batch, about ``part_bytes`` at a time, at least one line."""
        start = number % SLOTS * _SLOT_BYTES
        end = start + batch_bytes
        while start < end:
            cut = self._memory.find(b"\n", min(start + part_bytes, end) - 1, end) + 1 or end
            yield self._memory[start:cut]
            start = cut

    def put_result(self, number: int, start: int, payload: bytes) -> None:
        """Write a part of a batch's result, which ends within `RESULT_ROOM_BYTES`."""
        self._write(number % SLOTS * _SLOT_BYTES + BATCH_ROOM_BYTES + start, payload)

    def result(self, number: int, payload_bytes: int) -> bytes:
        start = number % SLOTS * _SLOT_BYTES + BATCH_ROOM_BYTES
        return self._memory[start : start + payload_bytes]

    def close(self) -> None:
        self._memory.close()

    def _write(self, start: int, data: bytes) -> None:
        self._memory[start : start + len(data)] = data


def memory_file() -> int:
    """Return the descriptor of a nameless file for `SharedSlots`, in memory where the system has such files."""
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
    """A process of `source_amplitude.encoding.worker` with up to `SLOTS` batches in it."""

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
        """Whether another batch may be given before a result is taken."""
        return self._given - self._taken < SLOTS

    def give(self, body: bytes, suffix: bytes) -> None:
        """Hand a batch of at most `BATCH_ROOM_BYTES` over; raise a WorkerLostError if the process has ended."""
        self._slots.put_batch(self._given, body)
        self._given += 1
        self._send(b"%d %b" % (len(body), suffix))

    def take(self) -> Encoded[bytes]:
        """Wait for the oldest result that was not taken yet; raise a WorkerLostError if the process has ended."""
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
    """Start the program `source_amplitude.encoding.worker` with descriptors it inherits."""
    import_path = [str(_PACKAGE_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Ctrl-C and a container's stop reach every process; the one that writes decides when to end. A worker inherits
    # that they are blocked, from its first instruction on.
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
    """Encodes JSON lines in this process at first, and in ``processes`` others once there is a lot to do.

    Args:
        tail: Returns what ends each record of a batch.
        processes: How many workers; below two everything is encoded here.
        start_after_bytes: How much is encoded here before they are started.
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
        """Yield batches as `Encoding` does; as many are taken ahead as the workers have places for."""
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
            if failures:  # only after what was read before it has left
                raise failures[0]
        finally:
            for worker, _ in given:  # abandoned: what they answer would be taken for the answer to a later batch
                with suppress(WorkerLostError):
                    worker.take()

    def close(self) -> None:
        while self._workers:
            self._workers.pop().close()

    def _start_when_due(self, more_bytes: int) -> None:
        """Start the workers, once, when enough has been encoded here to expect more of it."""
        self._bytes_until_start -= more_bytes
        if self._bytes_until_start > 0 or not self._processes:
            return
        try:
            for _ in range(self._processes):
                self._workers.append(Worker(self._lines.prefix))
        except (OSError, WorkerLostError) as error:
            _logger.warning(
                "Only %d of %d processes that encode records could be started (%s); the sync goes on with them.",
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
        with suppress(WorkerLostError):  # noticed again where the result is taken
            worker.give(batch.body, self._suffix())

    def _take_oldest(self, given: deque[tuple[Worker, B]]) -> tuple[B, Encoded[bytes]]:
        """Return the oldest batch with what was made of it: by its worker, or here where that one is lost."""
        worker, batch = given.popleft()
        try:
            return batch, worker.take()
        except WorkerLostError:
            if worker in self._workers:
                self._workers.remove(worker)
                _logger.warning(
                    "A process that encodes records ended (exit code %d). Its batches are encoded again in the main "
                    "process: nothing is lost or repeated, and the sync goes on with %d such processes.",
                    worker.close(),
                    len(self._workers),
                )
            return batch, self._lines.encode(batch.body, self._suffix())


def _until_failure(batches: Iterable[B], failures: list[Exception]) -> Iterator[B]:
    """Yield batches up to the first error, which is put into ``failures``."""
    try:
        yield from batches
    except Exception as error:  # noqa: BLE001 - raised again by the caller
        failures.append(error)


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
