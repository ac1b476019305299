"""The data source behind ``spark.read.format("amplitude")`` and ``spark.readStream.format("amplitude")``.

In a batch query the driver plans windows and tasks read them. Streaming queries are in `stream`.
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
        "on the driver and on every worker of a cluster.",
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
    """Reads the configured hours in a batch query."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._filters: list[Filter] = []

    def partitions(self) -> list[InputPartition]:
        """Return at most ``num_workers`` partitions of the hours to read.

        Raises:
            AmplitudeError: Amplitude rejects the keys or cannot be reached.
            NotPublishedError: ``end_date`` is later than the newest published hour: the result would be incomplete.
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
        if partition.value is not None:  # None: Spark's replacement for an empty list of partitions
            yield from self._connection.rows(partition.value)


class FilteringBatchReader(BatchReader):
    """A `BatchReader` for sessions that push filters down."""

    def pushFilters(self, filters: list[Filter]) -> list[Filter]:  # noqa: N802 - Spark's name
        """Remember ``filters`` and return all of them: Spark must apply them to the rows of a partly matching hour."""
        self._filters = filters
        return filters


class AmplitudeDataSource(DataSource):
    """The events of a project. The options are in docs/spark.md."""

    limits = Limits()  # a subclass in the tests has shorter ones

    def __init__(self, options: Mapping[str, str]) -> None:
        # No super().__init__(): it would keep the keys as plain text in an attribute that is sent to the executors.
        self._api_url = os.environ.get("AMPLITUDE_API_URL")
        given = {name.lower(): value for name, value in options.items()}
        with friendly_errors(Keys(given.get("api_key", "").strip(), given.get("secret_key", "").strip())):
            self._options = parse_options(given)

    @classmethod
    def name(cls) -> str:
        return "amplitude"

    def schema(self) -> StructType:
        """Return all columns of the events; a query may select columns with its own schema."""
        return table_schema(self._options.properties)

    def reader(self, schema: StructType) -> DataSourceReader:
        """Return the reader of a batch query.

        Spark rejects a reader with ``pushFilters`` if ``spark.sql.python.filterPushdown.enabled`` is off. If it is on,
        Spark creates the reader in a worker process for filters (read in PySpark 4.3's code).
        """
        kind = FilteringBatchReader if _PUSHDOWN_WORKER in sys.modules else BatchReader
        return kind(self._connection(schema))

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802 - Spark's name
        """Return the reader of a streaming query that reads in tasks.

        Raises:
            PySparkNotImplementedError: Only the driver reads (``late_files=driver``); Spark then calls
                `simpleStreamReader`.
        """
        _require_streaming()
        if self._options.late_files is LateFiles.DRIVER:
            raise PySparkNotImplementedError(
                errorClass="NOT_IMPLEMENTED", messageParameters={"feature": "streamReader with late_files=driver"}
            )
        from source_amplitude.spark.stream import StreamReader  # noqa: PLC0415 - needs Spark 4.2

        return StreamReader(self._connection(schema))

    def simpleStreamReader(self, schema: StructType) -> SimpleDataSourceStreamReader:  # noqa: N802 - Spark's name
        """Return the reader of a streaming query that reads on the driver."""
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
        import pyspark.sql.streaming.datasource  # noqa: F401, PLC0415 - new in Spark 4.2
    except ImportError:
        raise MissingExtraError(
            "Streaming queries need Spark 4.2: older versions do not pass the current offset to a Python source.",
            next_step="Use Spark 4.2 or newer, or batch queries.",
        ) from None


def register(spark: SparkSession, source: type[AmplitudeDataSource] = AmplitudeDataSource) -> None:
    """Add the format to a session, and make the session mask ``api_key`` in the options that it shows.

    Spark masks ``secret_key`` by default. The API key would be visible in the plans of streaming queries.
    """
    spark.dataSource.register(source)
    masked = spark.conf.get(_MASKED) or ""  # no default here: it would replace Spark's own
    if "api_key" not in masked:
        spark.conf.set(_MASKED, f"{masked}|(?i)api_key" if masked else "(?i)api_key")
