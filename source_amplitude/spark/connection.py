"""What the driver and every task of a query know: options, where Amplitude is, which columns are wanted."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.clock import SystemClock
from source_amplitude.encoding import OneByOne
from source_amplitude.export import Amplitude, Limits
from source_amplitude.spark.failures import said_plainly
from source_amplitude.spark.partitions import read_share
from source_amplitude.spark.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from pyspark.sql.types import StructType

    from source_amplitude.spark.options import Options
    from source_amplitude.spark.partitions import Share

_BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Connection:
    """Travels to the executors.

    Attributes:
        api_url: The driver's ``AMPLITUDE_API_URL``, which executors need not have.
    """

    options: Options
    schema: StructType
    settings: Limits
    api_url: str | None

    def said_plainly(self) -> AbstractContextManager[None]:
        return said_plainly(self.options.config.keys)

    @contextmanager
    def amplitude(self) -> Iterator[Amplitude]:
        """Open Amplitude for a while; what fails meanwhile has a text that fits a query."""
        with self.said_plainly():
            amplitude = self.open()
            try:
                yield amplitude
            finally:
                amplitude.close()

    def open(self) -> Amplitude:
        return Amplitude.of(self.options.config, self.settings, SystemClock(), self.api_url)

    def rows(self, share: Share) -> Iterator[pa.RecordBatch]:
        with self.amplitude() as amplitude:
            yield from read_share(share, amplitude, self.encoding())

    def encoding(self) -> OneByOne[pa.RecordBatch]:
        return OneByOne(Table(self.schema).encode, _BATCH_BYTES)
