"""Spark sessions: two threads on this machine, or a real cluster on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
from pyspark.sql import SparkSession

from integration_tests.environments import PROJECT
from integration_tests.spark.quick_amplitude import QuickAmplitude
from source_amplitude.spark import register

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SPARK_HOME = Path(pyspark.__file__).parent
_START_SECONDS = 60
_UI_IS_OFF = {"spark.ui.enabled": "false"}


def spark_environ() -> dict[str, str]:
    """Return the variables that make the JVM and its Python workers use this environment and loopback only."""
    return {
        "SPARK_HOME": str(_SPARK_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(PROJECT),
        "no_proxy": "*",
    }


@contextmanager
def session(master: str, folder: Path, conf: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """Open a session and stop it at the end. Only one session can be open."""
    settings = {
        "spark.driver.memory": "1g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "local"),
        "spark.sql.shuffle.partitions": "2",
        "spark.port.maxRetries": "100",
        **_UI_IS_OFF,
        **(conf or {}),
    }
    builder = SparkSession.builder.master(master).appName("source-amplitude")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        spark.sparkContext.setLogLevel("WARN")
        register(spark, QuickAmplitude)
        yield spark
    finally:
        spark.stop()


@dataclass(frozen=True)
class Cluster:
    """A standalone cluster.

    Attributes:
        master: The address of the master.
        folder: The folder with the logs of all processes and the folders of the workers.
    """

    master: str
    folder: Path


@contextmanager
def cluster(folder: Path, *, workers: int = 2, cores: int = 2) -> Iterator[Cluster]:
    """Start a master and its workers on loopback, and stop them at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    master = f"spark://127.0.0.1:{port}"
    with ExitStack() as processes:
        address = ["--host", "127.0.0.1", "--webui-port", "0"]
        processes.enter_context(_process(folder, "master", "master.Master", [*address, "--port", str(port)]))
        _wait_for(port)
        for number in range(workers):
            size = ["--cores", str(cores), "--memory", "1g", "--work-dir", str(folder / f"worker{number}")]
            processes.enter_context(_process(folder, f"worker{number}", "worker.Worker", [*address, *size, master]))
        yield Cluster(master, folder)


@contextmanager
def _process(folder: Path, name: str, kind: str, arguments: list[str]) -> Iterator[None]:
    command = [str(_SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", *arguments]
    environ = {**os.environ, **spark_environ(), "SPARK_NO_DAEMONIZE": "1"}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(_START_SECONDS)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)  # noqa: TID251 - waits for another program
        else:
            return
    raise RuntimeError(f"Spark's master did not listen on port {port}.")
