"""Parquet files with one row per event; `encoding.column_types` has the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.archive import iter_line_batches
from source_amplitude.distribution import install_command
from source_amplitude.errors import MissingExtraError
from source_amplitude.landing.column_set import FIRST, NEWEST
from source_amplitude.landing.formats.body import ObjectFile

try:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    from source_amplitude.encoding.column_types import Columns
except ImportError as error:
    raise MissingExtraError(
        f"--format parquet needs pyarrow, which cannot be imported ({error}).",
        next_step=f"Run {install_command('pyarrow')} and then the command again.",
    ) from error

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member
    from source_amplitude.landing.formats.body import Rendered

_CHUNK_BYTES = 1024 * 1024
_ROW_GROUP_BYTES = 16 * 1024 * 1024


class Parquet:
    """Each member as a Parquet file, compressed with zstd; all files have the same columns.

    Args:
        column_set: The set of column types (`landing.column_set`).
    """

    name = option = "parquet"
    suffix = ".parquet"
    hours_at_once = 2

    def __init__(self, column_set: int = NEWEST) -> None:
        self._columns = Columns(is_typed_strictly=column_set > FIRST)

    def render(self, archive: Archive, member: Member) -> Rendered:
        """Return the member as an object; a row group has about 16 MB of columns, and at least one row."""
        with ObjectFile() as file:
            with (
                archive.unpack(member) as unpacked,
                ParquetWriter(file, self._columns.schema, compression="zstd") as writer,
            ):
                groups = _RowGroups(writer)
                for batch in iter_line_batches(unpacked, chunk_bytes=_CHUNK_BYTES):
                    encoded = self._columns.encode(batch.body)
                    groups.add(encoded.payload)
                    file.event_types.add(encoded.payload.column("event_type").to_pylist())
                    file.note(batch, encoded)
                groups.finish()
            return file.rendered()


class _RowGroups:
    """Collects batches in memory until they fill a row group."""

    def __init__(self, writer: ParquetWriter) -> None:
        self._writer = writer
        self._batches: list[pa.RecordBatch] = []
        self._buffered_bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._batches.append(batch)
        self._buffered_bytes += batch.nbytes
        if self._buffered_bytes >= _ROW_GROUP_BYTES:
            self.finish()

    def finish(self) -> None:
        if self._batches:
            table = pa.Table.from_batches(self._batches)
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self._batches, self._buffered_bytes = [], 0
