"""Rows of the columns from structs, without building their objects."""

from __future__ import annotations

import json
from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from source_amplitude.encoding.column_types import ColumnType, Row
from source_amplitude.encoding.event_structs import ABSENT
from source_amplitude.encoding.quick_lines import encode_quickly
from source_amplitude.records.exact_json import WrittenJson, exact_float

if TYPE_CHECKING:
    from collections.abc import Sequence

    from source_amplitude.encoding.column_types import Columns
    from source_amplitude.encoding.encoded import Encoded
    from source_amplitude.encoding.event_structs import EventStruct

_NOT_PLAIN = frozenset({Raw, dict, list})
_NOTHING = Raw(b"")

_encode = msgspec.json.Encoder().encode


def encode_rows(body: bytes, columns: Columns) -> Encoded[list[Row]]:
    """Return the rows of lines."""
    return encode_quickly(body, lambda struct, events: _rows(columns, struct, events), columns.row)


def _rows(columns: Columns, struct: EventStruct, events: Sequence[Any]) -> list[Row]:
    cells = [_cells(kind, [*map(struct.getters[name], events)]) for name, kind in columns.types]
    rows = zip(*cells, strict=True) if cells else repeat((), len(events))
    if not (columns.has_other and struct.unknown.names):
        return [*map(Row, rows, repeat(None))]
    return [Row(row, _other(struct, event)) for row, event in zip(rows, events, strict=True)]


def _other(struct: EventStruct, event: Any) -> dict[str, Any] | None:  # noqa: ANN401 - a struct
    values = zip(struct.unknown.names, struct.unknown.get(event), strict=True)
    return {name: WrittenJson(bytes(value)) for name, value in values if value is not ABSENT} or None


def _cells(kind: ColumnType, values: list[Any]) -> list[Any]:
    """Return the values of a column; those that do not fit are decoded JSON."""
    found = {*map(type, values)}
    if kind is ColumnType.JSON and found == {Raw}:
        # No raw value contains a line feed. Joined values are decoded five times as fast as single ones.
        joined = b"\n".join([_NOTHING if value is ABSENT else value for value in values])
        return [text or None for text in joined.decode().split("\n")]
    if kind is ColumnType.JSON:
        return (
            values if found <= {type(None)} else [None if each is None else _encode(each).decode() for each in values]
        )
    if found.isdisjoint(_NOT_PLAIN):
        return values
    if kind is ColumnType.NUMBER:
        values = [float(bytes(value)) if type(value) is Raw else value for value in values]
    return [*map(_plain, values)] if found & {dict, list} or kind is not ColumnType.NUMBER else values


def _plain(value: object) -> object:
    if not isinstance(value, Raw | dict | list):
        return value
    return json.loads(_encode(value), parse_float=exact_float)
