"""Amplitude as Spark sees it: what ``spark.read.format("amplitude")`` and ``spark.readStream`` make.

In a batch query the driver plans windows and tasks read them; `stream` has the readers of streaming queries.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from source_amplitude.config import Keys
from source_amplitude.distribution import install_command
from source_amplitude.errors import MissingExtraError
from source_amplitude.export import Limits, not_published_error
from source_amplitude.spark.failures import friendly_errors
from source_amplitude.spark.options import LateFiles, parse_options
from source_amplitude.spark.partitions import Partition, narrow, split_partition
from source_amplitude.windows import HourSet, HourWindow

try:
    from pyspark.errors import PySparkNotImplementedError
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

    from source_amplitude.spark.connection import Connection
    from source_amplitude.spark.table import require_fitting, table_schema
except ImportError as error:
    raise MissingExtraError(
        f"source_amplitude.spark needs PySpark 4 and pyarrow, which cannot be imported ({error}).",
        next_step=f"Run {install_command('pyspark', 'pyarrow', 'pandas', python='python')}, "
        "on a cluster on the driver and on every worker.",
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from pyspark.sql import SparkSession
    from pyspark.sql.datasource import DataSourceStreamReader, Filter, SimpleDataSourceStreamReader
    from pyspark.sql.types import StructType

_MASKED = "spark.sql.redaction.options.regex"
_PUSHDOWN_WORKER = "pyspark.sql.worker.data_source_pushdown_filters"


class BatchReader(DataSourceReader):
    """Reads the hours of the configuration."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._filters: list[Filter] = []

    def partitions(self) -> list[InputPartition]:
        """Return at most ``num_workers`` shares of the hours to read.

        Raises:
            AmplitudeError: The keys are refused, or Amplitude cannot be reached.
            NotPublishedError: ``end_date`` is later than what is published: the rest would be missing silently.
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
        partition = Partition(HourSet((span,)) - config.accepted_gaps)
        parts = split_partition(partition, window_hours=config.window_hours, most=config.num_workers)
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


class AmplitudeDataSource(DataSource):
    """The events of a project; see docs/spark.md for the options."""

    limits = Limits()  # tests have a subclass with short ones

    def __init__(self, options: Mapping[str, str]) -> None:
        # Not the base's: it would keep the keys as texts in an attribute that travels.
        self._api_url = os.environ.get("AMPLITUDE_API_URL")
        given = {name.lower(): value for name, value in options.items()}
        with friendly_errors(Keys(given.get("api_key", "").strip(), given.get("secret_key", "").strip())):
            self._options = parse_options(given)

    @classmethod
    def name(cls) -> str:
        return "amplitude"

    def schema(self) -> StructType:
        """Return the columns of the events; a query may ask for some of them with a schema of its own."""
        return table_schema(self._options.properties)

    def reader(self, schema: StructType) -> DataSourceReader:
        """Return the reader of a batch query.

        Spark refuses a reader that takes filters while ``spark.sql.python.filterPushdown.enabled`` is off, and asks
        for its filters in a worker of their own while it is on (read in PySpark 4.3's code).
        """
        kind = FilteringBatchReader if _PUSHDOWN_WORKER in sys.modules else BatchReader
        return kind(self._connection(schema))

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802 - Spark's name
        """Return the reader of a streaming query whose tasks read.

        Raises:
            PySparkNotImplementedError: The driver is to read alone; Spark then asks for `simpleStreamReader`.
        """
        _require_streaming()
        if self._options.late_files is LateFiles.DRIVER:
            raise PySparkNotImplementedError(
                errorClass="NOT_IMPLEMENTED", messageParameters={"feature": "streamReader with late_files=driver"}
            )
        from source_amplitude.spark.stream import StreamReader  # noqa: PLC0415 - Spark 4.0 and 4.1 lack what it needs

        return StreamReader(self._connection(schema))

    def simpleStreamReader(self, schema: StructType) -> SimpleDataSourceStreamReader:  # noqa: N802 - Spark's name
        """Return the reader of a streaming query that the driver reads alone."""
        _require_streaming()
        from source_amplitude.spark.stream import DriverStreamReader  # noqa: PLC0415 - as above

        return DriverStreamReader(self._connection(schema))

    def _connection(self, schema: StructType) -> Connection:
        connection = Connection(self._options, schema, self.limits, self._api_url)
        with connection.friendly_errors():
            require_fitting(schema)
        return connection


def _require_streaming() -> None:
    try:
        import pyspark.sql.streaming.datasource  # noqa: F401, PLC0415 - only there from Spark 4.2 on
    except ImportError:
        raise MissingExtraError(
            "Streaming queries need Spark 4.2: before it, Spark does not tell a source where a query stands.",
            next_step="Use Spark 4.2 or newer, or batch queries.",
        ) from None


def register(spark: SparkSession, source: type[AmplitudeDataSource] = AmplitudeDataSource) -> None:
    """Make the format known to a session, and let the session mask ``api_key`` where it shows a query's options.

    Spark masks ``secret_key`` by its name; the API key would be in the plans of streaming queries.
    """
    spark.dataSource.register(source)
    masked = spark.conf.get(_MASKED) or ""  # with Spark's default, which a default of ours would hide
    if "api_key" not in masked:
        spark.conf.set(_MASKED, f"{masked}|(?i)api_key" if masked else "(?i)api_key")
