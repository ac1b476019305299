"""A batch query: the driver plans windows, tasks read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql.datasource import DataSourceReader, InputPartition

from source_amplitude.export import not_published_error
from source_amplitude.spark.shares import Share, narrow, split_share
from source_amplitude.windows import HourSet, HourWindow

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql.datasource import Filter

    from source_amplitude.spark.connection import Connection


class BatchReader(DataSourceReader):
    """Reads the hours of the configuration."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._filters: list[Filter] = []

    def partitions(self) -> list[InputPartition]:
        """Return at most ``num_workers`` shares of the hours to read.

        Raises:
            AmplitudeError: The keys are refused, or Amplitude cannot be reached.
            NotPublishedError: ``end_date`` is later than what is published: the rest would be missing without a word.
        """
        config = self._connection.options.config
        with self._connection.amplitude() as amplitude:
            amplitude.connect()
            newest = amplitude.span_end(config.end)
            end = config.end or newest
            span = narrow(HourWindow(config.start, end), self._filters) if config.start < end else None
            if span is None:
                return []
            if span.end > newest:
                raise not_published_error(
                    HourWindow(max(span.start, newest), span.end),
                    config.export_delay_hours,
                    next_step="Run the query again then, or leave out end_date to read what is published.",
                )
        share = Share(HourSet((span,)) - config.accepted_gaps)
        parts = split_share(share, window_hours=config.window_hours, most=config.num_workers)
        return [InputPartition(part) for part in parts]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        if partition.value is not None:  # what Spark makes of no partitions at all
            yield from self._connection.rows(partition.value)


class FilteringBatchReader(BatchReader):
    """The same where Spark hands filters over."""

    def pushFilters(self, filters: list[Filter]) -> list[Filter]:  # noqa: N802 - Spark's name
        """Take note of ``filters``; Spark applies all of them, since an hour has rows on both sides of a moment."""
        self._filters = filters
        return filters
