"""Streaming queries, from Spark 4.2 on.

With `StreamReader` the driver plans a micro-batch and tasks read it. With `DriverStreamReader` the driver reads each
archive once, finds late files, and holds a batch in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql.datasource import DataSourceStreamReader, InputPartition, SimpleDataSourceStreamReader
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadMaxFiles, SupportsTriggerAvailableNow

from source_amplitude.spark.download_discovery import DownloadDiscovery, counting_discovery
from source_amplitude.spark.offsets import Offset, OffsetPlanner, partition_between
from source_amplitude.spark.options import LateFiles
from source_amplitude.spark.partitions import split_partition
from source_amplitude.spark.probe_discovery import ProbeDiscovery

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql.streaming.datasource import ReadLimit

    from source_amplitude.export import Amplitude
    from source_amplitude.spark.connection import Connection

_MICRO_BATCH_BYTES = 64 * 1024**2
"""JSON in a micro-batch, exceeded by one hour at most. The driver holds three copies, one of them in the JVM."""


class StreamReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Reads in tasks. Spark sends this object to the executors, so the planner is created later, on the driver only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._planner: OffsetPlanner | None = None
        self._amplitude: Amplitude | None = None

    def initialOffset(self) -> Offset:  # noqa: N802 - Spark's name
        return self._driver().initial()

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802 - Spark's name
        """Return the maximum number of windows in a micro-batch, as files: Spark has no better unit."""
        return ReadMaxFiles(self._connection.options.windows_per_batch)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        with self._connection.friendly_errors():
            self._driver().end_at_present()

    def latestOffset(self, start: Offset, limit: ReadLimit) -> Offset:  # noqa: N802 - Spark's name
        options = self._connection.options
        windows = limit.max_files if isinstance(limit, ReadMaxFiles) else options.windows_per_batch
        most_hours = None if isinstance(limit, ReadAllAvailable) else windows * options.config.window_hours
        with self._connection.friendly_errors():
            return self._driver().next(start, most_hours)

    def partitions(self, start: Offset, end: Offset) -> list[InputPartition]:
        config = self._connection.options.config
        with self._connection.friendly_errors():
            partition = partition_between(start, end, config)
        parts = split_partition(partition, window_hours=config.window_hours, most=config.num_workers)
        return [InputPartition(part) for part in parts]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        return self._connection.rows(partition.value)

    def stop(self) -> None:
        if self._amplitude is not None:
            self._amplitude.close()

    def _driver(self) -> OffsetPlanner:
        if self._planner is None:
            options = self._connection.options
            self._amplitude = self._connection.open()
            discovery = ProbeDiscovery if options.late_files is LateFiles.IGNORE else counting_discovery
            self._planner = OffsetPlanner(self._amplitude, discovery(self._amplitude), options.poll_seconds)
        return self._planner


class DriverStreamReader(SimpleDataSourceStreamReader, SupportsTriggerAvailableNow):
    """Plans and reads on the driver in one step; after a restart a task repeats the batch."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._planned: tuple[OffsetPlanner, DownloadDiscovery[pa.RecordBatch]] | None = None

    def initialOffset(self) -> Offset:  # noqa: N802 - Spark's name
        return self._driver()[0].initial()

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        with self._connection.friendly_errors():
            self._driver()[0].end_at_present()

    def read(self, start: Offset) -> tuple[Iterator[pa.RecordBatch], Offset]:
        """Return the next rows and the offset after them; no rows and ``start`` if there is nothing new."""
        options = self._connection.options
        planner, discovery = self._driver()
        with self._connection.friendly_errors():
            end = planner.next(start, options.windows_per_batch * options.config.window_hours)
        return iter(discovery.take()), end  # Spark copies the iterator; a generator cannot be copied

    def readBetweenOffsets(self, start: Offset, end: Offset) -> Iterator[pa.RecordBatch]:  # noqa: N802 - Spark's name
        """Yield the rows of a batch that was planned before a restart; always the same rows."""
        return self._connection.rows(partition_between(start, end, self._connection.options.config))

    def _driver(self) -> tuple[OffsetPlanner, DownloadDiscovery[pa.RecordBatch]]:
        if self._planned is None:
            amplitude = self._connection.open()
            discovery = DownloadDiscovery(amplitude, self._connection.encoding(), _MICRO_BATCH_BYTES)
            self._planned = OffsetPlanner(amplitude, discovery, self._connection.options.poll_seconds), discovery
        return self._planned
