from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.encoding import (
    Encoded,
    JsonLines,
    ProcessPoolEncoder,
    SerialEncoder,
    split_lines,
    usable_processors,
)
from source_amplitude.encoding.processes import (
    BATCH_ROOM_BYTES,
    RESULT_ROOM_BYTES,
    SLOTS,
    SharedSlots,
    Worker,
    WorkerLostError,
    memory_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = JsonLines(b"<")
TAIL = b">\n"
PROJECT = Path(__file__).parents[2]
LINE_BODIES = st.lists(st.sampled_from([b"\n", b"a\n", b"line\n", b"x" * 30 + b"\n"]), min_size=1).map(b"".join)
HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Batch:
    body: bytes


@lru_cache(maxsize=4)  # the largest batches take a second and are repeated in a test
def encoded_here(body: bytes) -> Encoded[bytes]:
    return LINES.encode(body, TAIL)


def serial() -> SerialEncoder[bytes]:
    return SerialEncoder(encoded_here)


def pool(processes: int = 2, start_after_bytes: int = 0) -> ProcessPoolEncoder:
    return ProcessPoolEncoder(LINES, lambda: TAIL, processes, start_after_bytes)


def numbered(count: int, line: bytes = b'{"n":%d}\n') -> list[Batch]:
    return [Batch(line % number) for number in range(count)]


def pids(encoding: ProcessPoolEncoder) -> list[int]:
    return [worker._process.pid for worker in encoding._workers]  # noqa: SLF001 - tests kill them


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolEncoder]:
    """Two workers, shared by many examples because they start slowly."""
    encoding = pool()
    list(encoding.encode_ordered(numbered(1)))
    yield encoding
    encoding.close()


BODIES = st.lists(
    st.sampled_from(
        [b'{"a":1}\n', b'{"event_time":"2025-03-04 09:59:57.447000"}\n', b"\n", b"odd\n", b'{"a":"\xc3\xa9"}\n']
    ),
    min_size=1,
    max_size=30,
).map(b"".join)


@given(st.lists(BODIES, max_size=12))
@settings(deadline=None, max_examples=60)
def test_results_are_in_order_and_match_one_process(workers: ProcessPoolEncoder, bodies: list[bytes]) -> None:
    batches = [Batch(body) for body in bodies]

    assert list(workers.encode_ordered(batches)) == list(serial().encode_ordered(batches))


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"%b"}\n' % (b"x" * (BATCH_ROOM_BYTES - 9)),
        b'{"a":"%b"}\n' % (b"x" * BATCH_ROOM_BYTES),
        b'{"event_time":"2025"}\n' * (BATCH_ROOM_BYTES // 22),
        pytest.param(b"odd\n" * (BATCH_ROOM_BYTES // 4), marks=pytest.mark.long),
    ],
    ids=["fills the slot", "larger than a slot", "all odd", "all malformed"],
)
def test_large_batches_match_one_process(workers: ProcessPoolEncoder, body: bytes) -> None:
    batches = [*numbered(5), Batch(body), *numbered(5), Batch(body), Batch(body)]

    assert list(workers.encode_ordered(batches)) == list(serial().encode_ordered(batches))


def test_large_result_is_sent_through_the_socket() -> None:
    lines = JsonLines(b"x" * 100)
    encoding = ProcessPoolEncoder(lines, lambda: TAIL, 2, 0)
    batches = [Batch(b"{}\n" * (4 * RESULT_ROOM_BYTES // 100)), *numbered(7), Batch(b'{"a":1}\nodd\n' * 50_000)]

    encoded = [encoded for _, encoded in encoding.encode_ordered(batches)]

    encoding.close()
    assert len(encoded[0].payload) > RESULT_ROOM_BYTES
    assert encoded == [lines.encode(batch.body, TAIL) for batch in batches]


@pytest.mark.parametrize("processes", [1, 2])
def test_workers_start_after_enough_bytes(processes: int) -> None:
    encoding = pool(processes, start_after_bytes=24)
    seen = [len(pids(encoding)) for _ in encoding.encode_ordered(numbered(5, line=b'{"a":%d}\n'))]
    batch_bytes = encoding.batch_bytes()
    encoding.close()
    assert (seen, batch_bytes) == (([0, 0, 2, 2, 2], 384 * 1024) if processes == 2 else ([0] * 5, 128 * 1024))


@pytest.mark.parametrize("victims", [1, 2])
@pytest.mark.parametrize("after", [0, 3, 10])
def test_killed_worker_loses_no_records(victims: int, after: int, caplog: pytest.LogCaptureFixture) -> None:
    encoding = pool()
    list(encoding.encode_ordered(numbered(1)))
    batches = numbered(40)
    results: list[tuple[Batch, Encoded[bytes]]] = []
    for result in encoding.encode_ordered(batches):
        if len(results) == after:
            for pid in pids(encoding)[:victims]:
                os.kill(pid, signal.SIGKILL)
        results.append(result)
    left = len(pids(encoding))
    encoding.close()

    assert results == list(serial().encode_ordered(batches))
    assert left == 2 - victims
    assert [record.message[:42] for record in caplog.records] == [
        "An encoding worker ended (exit code -9). T"
    ] * victims


def test_main_process_encodes_if_workers_cannot_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    encoding = pool()

    assert list(encoding.encode_ordered(numbered(9))) == list(serial().encode_ordered(numbered(9)))
    error = FileNotFoundError(2, "No such file or directory", "/nowhere/python")
    assert [record.message for record in caplog.records] == [
        f"Started only 0 of 2 encoding workers ({error}). The sync continues with these."
    ]


def test_workers_ignore_stop_signals() -> None:
    encoding = pool()
    list(encoding.encode_ordered(numbered(1)))
    for pid in pids(encoding):
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)

    assert list(encoding.encode_ordered(numbered(9))) == list(serial().encode_ordered(numbered(9)))
    assert len(pids(encoding)) == 2
    encoding.close()


@pytest.mark.parametrize("victims", [0, 1, 2])
def test_abandoned_run_leaves_no_results(victims: int) -> None:
    encoding = pool()
    reading = encoding.encode_ordered(numbered(9))
    next(reading)
    for pid in pids(encoding)[:victims]:
        os.kill(pid, signal.SIGKILL)
    reading.close()

    assert list(encoding.encode_ordered(numbered(9))) == list(serial().encode_ordered(numbered(9)))
    assert len(pids(encoding)) == 2 - victims
    encoding.close()


def test_closed_worker_raises() -> None:
    worker = Worker(b"")
    exit_code = worker.close()

    assert exit_code == 0
    with pytest.raises(WorkerLostError):
        worker.take()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


PARENT = """
import json, sys, time
sys.path.insert(0, {project!r})
from unit_tests.encoding.test_processes import pool, numbered, pids
encoding = pool()
list(encoding.encode_ordered(numbered(3)))
print(json.dumps(pids(encoding)), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_with_the_main_process(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT.format(project=str(PROJECT)), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        running = json.loads(parent.stdout.readline())
        assert len(running) == 2
        assert all(map(is_running, running))
        parent.kill()
    deadline = time.monotonic() + 20
    while any(map(is_running, running)) and time.monotonic() < deadline:
        os.sched_yield()

    assert not any(map(is_running, running))


@given(LINE_BODIES, st.sampled_from([b"", b"end"]), st.integers(1, 40), st.integers(0, 5))
@settings(deadline=None, max_examples=60)
def test_batch_parts_have_whole_lines(body: bytes, ending: bytes, part_bytes: int, number: int) -> None:
    descriptor = memory_file()
    ours, theirs = SharedSlots(descriptor), SharedSlots(descriptor)
    os.close(descriptor)
    ours.put_batch(number, b"left over\n" * 200)
    ours.put_batch(number, body + ending)

    parts = list(theirs.batch_parts(number, len(body + ending), part_bytes))

    ours.close()
    theirs.close()
    assert b"".join(parts) == body + ending
    assert [line for part in parts for line in split_lines(part)] == split_lines(body + ending)
    assert all(len(part) >= part_bytes for part in parts[:-1])


def test_slots_do_not_overlap() -> None:
    descriptor = memory_file()
    slots = SharedSlots(descriptor)
    os.close(descriptor)
    for number in range(SLOTS):
        slots.put_batch(number, b"batch %d\n" % number)
        slots.put_result(number, 0, b"result ")
        slots.put_result(number, 7, b"%d" % number)

    read = [(b"".join(slots.batch_parts(number, 8, 100)), slots.result(number, 8)) for number in range(SLOTS)]

    slots.close()
    assert read == [(b"batch %d\n" % number, b"result %d" % number) for number in range(SLOTS)]


@pytest.mark.parametrize(
    ("quota", "processors"),
    [
        ("max 100000\n", HERE),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("6400000 100000\n", min(64, HERE)),
        ("", HERE),
        ("junk", HERE),
    ],
)
def test_container_quota_limits_processors(quota: str, processors: int, tmp_path: Path) -> None:
    quota_file = tmp_path / "cpu.max"
    quota_file.write_text(quota, encoding="ascii")

    assert usable_processors(quota_file) == processors


def test_all_processors_are_usable_without_a_quota(tmp_path: Path) -> None:
    assert usable_processors(tmp_path / "missing") == HERE
