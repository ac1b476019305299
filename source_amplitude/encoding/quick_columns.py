"""Columns from structs, without rows and without building the objects of events."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from msgspec import Raw

from source_amplitude.encoding.column_types import ColumnType
from source_amplitude.encoding.event_structs import ABSENT, getter_of
from source_amplitude.encoding.quick_lines import read_quickly
from source_amplitude.records.exact_json import WrittenJson, exact_float

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from source_amplitude.encoding.column_types import Cells, Columns, Row
    from source_amplitude.encoding.encoded import Encoded
    from source_amplitude.encoding.quick_lines import QuickBatch
    from source_amplitude.records import Record

_ONLY_NULLS = {type(None)}
_NOT_PLAIN = frozenset({Raw, dict, list})

_encode = msgspec.json.Encoder().encode


def encode_columns(body: bytes, columns: Columns) -> Encoded[pa.RecordBatch]:
    """Return lines as columns, as `Columns.encode` does."""
    batch = read_quickly(body, columns.row)
    table, unfit = columns.table(_columns(batch, columns), _fields_of_other(batch, columns), batch.records)
    return replace(batch.encoded(table), findings=batch.findings.followed_by(unfit))


def _columns(batch: QuickBatch[Row], columns: Columns) -> Iterator[Cells]:
    """Yield the cells of each column; cells that do not fit are decoded JSON."""
    names = [batch.struct.attributes[name] for name in columns.names]
    # One getter for all columns reads each event once, while it is in the processor's cache.
    values = [*zip(*map(getter_of(names), batch.events), strict=True)] or [()] * len(names)
    for number, ((_, kind), each) in enumerate(zip(columns.types, values, strict=True)):
        if batch.others:
            yield batch.merged([*_cells(kind, each)], {at: row.cells[number] for at, row in batch.others.items()})
        elif kind is ColumnType.JSON:
            # They were checked to be UTF-8.
            yield pa.array(_cells(kind, each), pa.binary()).view(pa.string())
        elif kind is ColumnType.TIME and batch.has_plain_datetimes:
            yield pa.array(each, pa.string()).cast(kind.arrow)
        else:
            yield _cells(kind, each)


def _fields_of_other(batch: QuickBatch[Row], columns: Columns) -> dict[int, Record]:
    """Return the fields outside the schema by the positions of their records."""
    found = {at: row.other for at, row in batch.others.items() if row.other}
    names = batch.struct.unknown.names
    if not (columns.has_other and names):
        return found
    positions = (at for at in range(batch.records) if at not in batch.others)
    for at, values in zip(positions, map(batch.struct.unknown.get, batch.events), strict=True):
        fields = {
            name: WrittenJson(bytes(value)) for name, value in zip(names, values, strict=True) if value is not ABSENT
        }
        if fields:
            found[at] = fields
    return found


def _cells(kind: ColumnType, values: Sequence[Any]) -> Sequence[Any]:
    found = {*map(type, values)}
    if found == _ONLY_NULLS:
        return values
    if kind is ColumnType.JSON and found == {Raw}:
        return [None if value is ABSENT else bytes(value) for value in values]
    if kind is ColumnType.JSON:
        return [None if each is None else _encode(each) for each in values]
    if found.isdisjoint(_NOT_PLAIN):
        return values
    if kind is ColumnType.NUMBER:
        values = [float(bytes(value)) if type(value) is Raw else value for value in values]
    return [*map(_plain, values)] if found & {dict, list} or kind is not ColumnType.NUMBER else values


def _plain(value: object) -> object:
    if not isinstance(value, Raw | dict | list):
        return value
    return json.loads(_encode(value), parse_float=exact_float)
