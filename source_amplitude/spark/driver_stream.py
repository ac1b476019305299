"""A streaming query that the driver reads itself: each archive once, late files included, a batch in its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql.datasource import SimpleDataSourceStreamReader
from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow

from source_amplitude.spark.failures import said_plainly
from source_amplitude.spark.looks import Looks
from source_amplitude.spark.offsets import Offset, share_between
from source_amplitude.spark.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from source_amplitude.spark.connection import Connection


_MICRO_BATCH_BYTES = 64 * 1024**2
"""JSON in a micro-batch, exceeded by at most an hour: the driver holds it three times, the last time in the JVM."""


class DriverStreamReader(SimpleDataSourceStreamReader, SupportsTriggerAvailableNow):
    """Reads and plans at the same time.

    Args:
        connection: What the driver knows of Amplitude, and the task that repeats a batch after a restart.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reading: tuple[Progress, Looks[pa.RecordBatch]] | None = None

    def initialOffset(self) -> Offset:  # noqa: N802 - Spark's name
        """Return the offset before everything."""
        return self._driver()[0].initial()

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        """Go no further than what is published now."""
        with said_plainly(self._connection.options.config.keys):
            self._driver()[0].end_at_present()

    def read(self, start: Offset) -> tuple[Iterator[pa.RecordBatch], Offset]:
        """Return the next rows and the offset behind them; no rows and ``start`` while there is nothing new."""
        options = self._connection.options
        progress, looks = self._driver()
        with said_plainly(options.config.keys):
            end = progress.next(start, options.windows_per_batch * options.config.window_hours)
        return iter(looks.take()), end  # Spark copies the iterator, which a generator does not allow

    def readBetweenOffsets(self, start: Offset, end: Offset) -> Iterator[pa.RecordBatch]:  # noqa: N802 - Spark's name
        """Yield the rows of a batch that was begun before a restart: the same ones."""
        return self._connection.rows(share_between(start, end, self._connection.options.config))

    def _driver(self) -> tuple[Progress, Looks[pa.RecordBatch]]:
        if self._reading is None:
            amplitude = self._connection.open()
            looks = Looks(amplitude, self._connection.encoding(), _MICRO_BATCH_BYTES)
            self._reading = Progress(amplitude, looks, self._connection.options.poll_seconds), looks
        return self._reading
