"""A real standalone master with two workers on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from integration_tests.spark.conftest import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from amplitude_emulator import Emulator
    from integration_tests.spark.desk import Desk

pytestmark = [pytest.mark.spark, pytest.mark.timeout(400)]

EVERY_WAY = pytest.mark.parametrize("late_files", ["ignore", "executors", "driver"])


@pytest.fixture(scope="module")
def spark(amplitude: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:  # noqa: ARG001
    """Four cores on two workers, an executor on each."""
    from integration_tests.spark.sessions import cluster, session  # noqa: PLC0415 - PySpark is in .venv-spark alone

    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder / "cluster") as started, session(started.master, folder, ON_THE_CLUSTER) as made:
        yield made


ON_THE_CLUSTER = {"spark.executor.cores": "2", "spark.executor.memory": "700m", "spark.task.maxFailures": "8"}


def processes(text: str, spark: SparkSession) -> list[int]:
    """Return the executors' processes with ``text`` in the command line; they run below the cluster's folder."""
    folder = Path(urlsplit(spark.conf.get("spark.sql.warehouse.dir") or "").path).parent / "cluster"
    found = subprocess.run(["pgrep", "-f", text], capture_output=True, text=True, check=False)
    return [int(number) for number in found.stdout.split() if is_below(folder, Path("/proc", number, "cwd"))]


def is_below(folder: Path, link: Path) -> bool:
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:  # the process has ended
        return False


def exports(desk: Desk) -> list[str]:
    """Return the first hours of the requested exports, without the check of the keys."""
    return [seen.query["start"] for seen in desk.emulator.requests if not seen.query["start"].startswith("2014")]


@contextmanager
def killed(desk: Desk, what: str, *, after_exports: int) -> Iterator[None]:
    """Kill the newest process of a kind after a number of exports."""
    struck: list[int] = []

    def kill() -> None:
        deadline = time.monotonic() + 60
        while len(exports(desk)) < after_exports and time.monotonic() < deadline:
            time.sleep(0.02)  # noqa: TID251 - Spark's own clock drives the query
        for number in processes(what, desk.spark)[-1:]:  # the newest: a Python worker, not the daemon that forks it
            os.kill(number, signal.SIGKILL)
            struck.append(len(exports(desk)))

    thread = threading.Thread(target=kill)
    thread.start()
    yield
    thread.join()
    assert struck
    assert len(exports(desk)) > struck[0]


def test_there_are_two_executors(spark: SparkSession) -> None:
    assert spark.range(100).repartition(8).count() == 100

    assert len(processes("CoarseGrainedExecutorBackend", spark)) == 2


def test_a_table_has_the_records_of_read(desk: Desk) -> None:
    desk.load(request_time_range=1).write.parquet(str(desk.table))

    assert desk.written() == desk.read()


@EVERY_WAY
def test_a_stream_has_the_records_of_read(desk: Desk, late_files: str) -> None:
    desk.stream(late_files=late_files, windows_per_batch=3)

    assert desk.written() == desk.read()


@pytest.mark.parametrize("num_workers", [1, 2])
def test_num_workers_limits_the_requests_of_a_cluster(desk: Desk, num_workers: int) -> None:
    desk.emulator.faults.add("prepare", seconds=0.3)

    count = desk.load(num_workers=num_workers, request_time_range=2).count()

    assert count == len(desk.emulator.store.lines(FIRST, FIRST + timedelta(days=1)))
    assert max(seen.at_once for seen in desk.emulator.requests) == num_workers


@pytest.mark.parametrize("what", ["CoarseGrainedExecutorBackend", "pyspark.daemon pyspark.worker"])
def test_a_killed_process_leaves_every_record_once(desk: Desk, what: str) -> None:
    desk.emulator.faults.add("prepare", seconds=0.3)

    with killed(desk, what, after_exports=10):
        desk.load(request_time_range=1).write.parquet(str(desk.table))

    repeated = len(exports(desk)) - len(set(exports(desk)))
    assert repeated > 0
    assert desk.written() == desk.read()


@pytest.mark.parametrize("late_files", ["ignore", "executors"])
def test_a_stream_with_a_killed_executor_reads_records_once(desk: Desk, late_files: str) -> None:
    desk.emulator.faults.add("prepare", seconds=0.2)

    with killed(desk, "CoarseGrainedExecutorBackend", after_exports=24 + 8):
        desk.stream(late_files=late_files, windows_per_batch=12, request_time_range=1)

    desk.emulator.faults.clear()
    assert desk.written() == desk.read()
