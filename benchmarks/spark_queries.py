"""A Spark session that repeats the same queries; `benchmarks.spark` runs it in `.venv-spark`.

Each line on stdin starts a round; each query prints a line of JSON to stdout.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from source_amplitude.spark import register

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE_SECONDS = 0.05
SOME_COLUMNS = "uuid STRING, event_type STRING, event_time TIMESTAMP, server_upload_time TIMESTAMP"


@dataclass
class PythonMemory:
    """Samples the memory of Spark's Python processes.

    Attributes:
        peak_bytes: The maximum of a single process since it was set to 0.
    """

    peak_bytes: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Sample until `ended` is set."""
        while not self.ended.wait(SAMPLE_SECONDS):
            for process in Path("/proc").glob("[0-9]*"):
                self._look_at(process)

    def _look_at(self, process: Path) -> None:
        try:
            if b"-m\0pyspark." in (process / "cmdline").read_bytes():
                lines = (process / "status").read_text(encoding="ascii").splitlines()
                resident = next((line for line in lines if line.startswith("VmRSS:")), "VmRSS: 0")
                self.peak_bytes = max(self.peak_bytes, int(resident.split()[1]) * 1024)
        except (OSError, UnicodeDecodeError):  # it has just ended
            return


class Queries:
    """Queries of the same hours.

    Args:
        spark: The session.
        options: The options of every query.
        folder: The folder for tables and checkpoints.
    """

    def __init__(self, spark: SparkSession, options: dict[str, str], folder: Path) -> None:
        self._spark = spark
        self._options = options
        self._folder = folder

    def ways(self) -> dict[str, Callable[[], None]]:
        """Return the queries by their names in the table."""
        return {
            "batch, into nothing": lambda: self._batch("noop"),
            "batch, 4 columns, into nothing": lambda: self._batch("noop", schema=SOME_COLUMNS),
            "batch, variants, into nothing": lambda: self._batch("noop", properties="variant"),
            "batch, into Parquet": lambda: self._batch("parquet"),
            "stream, into Parquet": lambda: self._stream("ignore"),
            "stream, late_files=executors": lambda: self._stream("executors"),
            "stream, late_files=driver": lambda: self._stream("driver"),
        }

    def _batch(self, sink: str, schema: str | None = None, **options: str) -> None:
        reader = self._spark.read.format("amplitude").options(**self._options, **options)
        query = (reader.schema(schema) if schema else reader).load()
        query.write.format(sink).mode("overwrite").save(str(self._folder / "table"))

    def _stream(self, late_files: str) -> None:
        shutil.rmtree(self._folder / "table", ignore_errors=True)
        shutil.rmtree(self._folder / "checkpoint", ignore_errors=True)
        query = (
            self._spark.readStream.format("amplitude")
            .options(**self._options, late_files=late_files, windows_per_batch="1000")
            .load()
            .writeStream.format("parquet")
            .option("checkpointLocation", str(self._folder / "checkpoint"))
            .trigger(availableNow=True)
            .start(str(self._folder / "table"))
        )
        query.awaitTermination()

    def rows(self) -> int:
        """Return the number of rows of the table."""
        return int(self._spark.read.parquet(str(self._folder / "table")).count())


def main(job: str) -> None:
    """Open the session, and run rounds until stdin ends."""
    given = json.loads(job)
    started = time.perf_counter()
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    register(spark)
    write_line({"way": "session", "seconds": time.perf_counter() - started})
    memory = PythonMemory()
    threading.Thread(target=memory.run, daemon=True).start()
    queries = Queries(spark, given["options"], Path(given["folder"]))
    for _ in sys.stdin:
        for way, run in queries.ways().items():
            memory.peak_bytes, started = 0, time.perf_counter()
            run()
            seconds = time.perf_counter() - started
            rows = None if "nothing" in way else queries.rows()  # None: there is no table
            write_line({"way": way, "seconds": seconds, "python_bytes": memory.peak_bytes, "rows": rows})
        write_line({"way": "end"})
    spark.stop()


def write_line(result: dict[str, object]) -> None:
    """Print a result and flush."""
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
