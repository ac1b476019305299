"""The environment of a Spark user: a session, a project and a folder for tables; and the output of ``read``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyarrow import parquet

from unit_tests.end_to_end.connector import Connector
from unit_tests.landing.formats.rendering import comparable, record_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from amplitude_emulator import Emulator

Option = str | int | None

START = "2026-03-03T00:00:00Z"
END = "2026-03-04T00:00:00Z"


@dataclass
class Desk:
    """One project, read by Spark.

    Attributes:
        spark: The Spark session.
        emulator: The emulated Amplitude.
        folder: The folder for tables and checkpoints.
        options: The options of every query, without the keys.
    """

    spark: SparkSession
    emulator: Emulator
    folder: Path
    options: Mapping[str, str] = field(default_factory=lambda: {"start_date": START, "end_date": END})

    @property
    def table(self) -> Path:
        """The folder that queries write to."""
        return self.folder / "table"

    @property
    def checkpoint(self) -> Path:
        """The checkpoint of streaming queries."""
        return self.folder / "checkpoint"

    def given(self, **more: Option) -> dict[str, str | int]:
        """Return the options of a query, without options that are None."""
        project = self.emulator.project
        keys = {"api_key": project.api_key, "secret_key": project.secret_key}
        options = {**keys, "poll_seconds": 1, **self.options, **more}
        return {name: value for name, value in options.items() if value is not None}

    def load(self, schema: str | None = None, **more: Option) -> DataFrame:
        """Return a batch query."""
        reader = self.spark.read.format("amplitude").options(**self.given(**more))
        return (reader.schema(schema) if schema else reader).load()

    def start(self, **more: Option) -> StreamingQuery:
        """Start a streaming query into the table; it ends after the newest published hour."""
        return (
            self.spark.readStream.format("amplitude")
            .options(**self.given(**more))
            .load()
            .writeStream.format("parquet")
            .option("checkpointLocation", str(self.checkpoint))
            .option("path", str(self.table))
            .trigger(availableNow=True)
            .start()
        )

    def stream(self, **more: Option) -> None:
        """Run a streaming query to its end."""
        query = self.start(**more)
        assert query.awaitTermination(120)

    def written(self) -> list[str]:
        """Return the committed records of the table, comparable and in order."""
        rows = self.spark.read.parquet(str(self.table)).toArrow().to_pylist()
        return sorted(comparable(record_of(row)) for row in rows)

    def files(self) -> list[Path]:
        """Return the Parquet files of the table."""
        return sorted(self.table.rglob("*.parquet"))

    def read(self, end: str | None = END) -> list[str]:
        """Return the records that ``read`` emits for the same hours, comparable and in order."""
        run = Connector(self.emulator, self.folder).read(start_date=START, end_date=end)
        assert run.exit_code == 0, run.error_texts
        return sorted(map(comparable, run.records))

    def clear(self) -> None:
        """Remove the table and the checkpoint."""
        shutil.rmtree(self.table, ignore_errors=True)
        shutil.rmtree(self.checkpoint, ignore_errors=True)


def columns_of(path: Path) -> dict[str, str]:
    """Return the columns of a Parquet file and their types."""
    schema = parquet.read_schema(path)
    return {column.name: str(column.type) for column in schema}
