"""The settings of a query for the driver and every task: options, Amplitude's address and the columns."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.clock import SystemClock
from source_amplitude.encoding import SerialEncoder
from source_amplitude.export import Amplitude, Limits
from source_amplitude.spark.failures import friendly_errors
from source_amplitude.spark.partitions import read_partition
from source_amplitude.spark.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from pyspark.sql.types import StructType

    from source_amplitude.spark.options import Options
    from source_amplitude.spark.partitions import Partition

_BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Connection:
    """The settings of one query; Spark sends it to the executors.

    Attributes:
        api_url: The driver's ``AMPLITUDE_API_URL``; executors may not have the variable.
    """

    options: Options
    schema: StructType
    limits: Limits
    api_url: str | None

    def friendly_errors(self) -> AbstractContextManager[None]:
        return friendly_errors(self.options.config.keys)

    @contextmanager
    def amplitude(self) -> Iterator[Amplitude]:
        """Open Amplitude and close it at the end; errors get texts that fit a Spark query."""
        with self.friendly_errors():
            amplitude = self.open()
            try:
                yield amplitude
            finally:
                amplitude.close()

    def open(self) -> Amplitude:
        return Amplitude.of(self.options.config, self.limits, SystemClock(), self.api_url)

    def rows(self, partition: Partition) -> Iterator[pa.RecordBatch]:
        with self.amplitude() as amplitude:
            yield from read_partition(partition, amplitude, self.encoding())

    def encoding(self) -> SerialEncoder[pa.RecordBatch]:
        return SerialEncoder(Table(self.schema).encode, _BATCH_BYTES)
