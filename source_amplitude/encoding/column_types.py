"""Convert records to the columns of one table, with the same columns in every file and without losing values.

Every field of the events' schema is a typed column. Values that do not fit their column, and fields outside the schema,
are stored in the column `OTHER` as one JSON object.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import pyarrow as pa

from source_amplitude.encoding.encoded import Encoded, encode_line_by_line, has_msgspec
from source_amplitude.records import Findings, Oddity, OddityKind, Record, dump_record
from source_amplitude.records.declared import SCHEMA_FILE
from source_amplitude.records.exact_json import ExactNumber
from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Cells: TypeAlias = Sequence[object] | pa.Array

OTHER = "_other"

_TIME_SHAPE = b"0000-00-00T00:00:00.000000+00:00"
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_NESTED = frozenset({dict, list})


class ColumnType(Enum):
    """The type of a column."""

    TEXT = "text"
    TIME = "time"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "JSON text"

    @property
    def arrow(self) -> pa.DataType:
        return _ARROW_TYPES[self]


_ARROW_TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.JSON: pa.string(),
}
_WHOLE_NUMBERS = ("session_id",)
"""Numbers in the schema that are whole in every event."""
_NONE = type(None)
_ONLY_NULLS = {_NONE}
_PYTHON_TYPES: Mapping[ColumnType, frozenset[type]] = {
    ColumnType.TEXT: frozenset({_NONE, str}),
    ColumnType.TIME: frozenset({_NONE, str}),
    ColumnType.INTEGER: frozenset({_NONE, int}),
    ColumnType.NUMBER: frozenset({_NONE, int, float, ExactNumber}),
    ColumnType.BOOLEAN: frozenset({_NONE, bool}),
    ColumnType.JSON: frozenset({_NONE, str, bytes}),
}
_PROPERTY_TYPES = {
    ("string", "date-time"): ColumnType.TIME,
    ("string", None): ColumnType.TEXT,
    ("integer", None): ColumnType.INTEGER,
    ("number", None): ColumnType.NUMBER,
    ("boolean", None): ColumnType.BOOLEAN,
}


def column_types() -> dict[str, ColumnType]:
    """Return the columns of the events' schema in order, without `OTHER`."""
    properties = json.loads(SCHEMA_FILE.read_bytes())["properties"]
    return {name: _type_of(schema) for name, schema in properties.items()}


def _type_of(schema: Mapping[str, Any]) -> ColumnType:
    named = schema["type"]
    types = [each for each in ([named] if isinstance(named, str) else named) if each != "null"]
    return (
        _PROPERTY_TYPES.get((types[0], schema.get("format")), ColumnType.JSON) if len(types) == 1 else ColumnType.JSON
    )


class Row(NamedTuple):
    """The cells of a record (JSON as text), and its fields outside the schema."""

    cells: Sequence[object]
    other: Record | None


class Columns:
    """The columns of the events' schema, and `OTHER`.

    Args:
        wanted: The names of the columns to write; None for all. Without `OTHER`, values that do not fit are left out.
        is_typed_strictly: Whether ``session_id`` is an integer, and JSON text has Arrow's JSON type if pyarrow has it.

    Attributes:
        types: The wanted columns and their types in order, without `OTHER`.
        names: The names of `types`.
        has_other: Whether `OTHER` is wanted.
        schema: The Arrow schema of the wanted columns, with `OTHER` last if it is wanted.
    """

    def __init__(self, wanted: Sequence[str] | None = None, *, is_typed_strictly: bool = False) -> None:
        types_ = column_types()
        if is_typed_strictly:
            types_ |= dict.fromkeys(_WHOLE_NUMBERS, ColumnType.INTEGER)
        self._json = pa.json_() if is_typed_strictly and hasattr(pa, "json_") else pa.string()
        self.types = tuple((name, types_[name]) for name in (types_ if wanted is None else wanted) if name != OTHER)
        self.has_other = wanted is None or OTHER in wanted
        self.names = tuple(name for name, _ in self.types)
        columns = [(name, self._json if kind is ColumnType.JSON else kind.arrow) for name, kind in self.types]
        self.schema = pa.schema([*columns, *([(OTHER, self._json)] if self.has_other else [])])
        self._known = frozenset(types_)
        self._json_names = tuple(name for name, kind in self.types if kind is ColumnType.JSON)

    def encode(self, body: bytes) -> Encoded[pa.RecordBatch]:
        """Return the rows of lines; skip blank lines, and report lines that are not JSON objects."""
        if has_msgspec():
            from source_amplitude.encoding.quick_columns import encode_columns  # noqa: PLC0415 - on demand

            with suppress(RecursionError):
                return encode_columns(body, self)
        encoded = encode_line_by_line(body, self.row)
        batch, unfit = self.batch(encoded.payload)
        findings = encoded.findings.followed_by(unfit)
        return Encoded(batch, encoded.records, encoded.lines, encoded.malformed, findings)

    def _as_json(self, texts: pa.Array) -> pa.Array:
        return texts if self._json == pa.string() else pa.ExtensionArray.from_storage(self._json, texts)

    def row(self, record: Record) -> Row:
        """Return the row of a record, which is modified; raise a NotAnEventError if it is nested too deeply."""
        get = record.get
        for name in self._json_names:
            value = get(name)
            if value is not None:
                record[name] = _json_text(value)
        cells = [*map(get, self.names)]
        if not self.has_other:
            return Row(cells, None)
        if not self._known.issuperset(record) or not _NESTED.isdisjoint(map(type, cells)):
            dump_record(record)
        if self._known.issuperset(record):
            return Row(cells, None)
        return Row(cells, {name: value for name, value in record.items() if name not in self._known})

    def batch(self, rows: Sequence[Row]) -> tuple[pa.RecordBatch, Findings]:
        """Return rows as columns, and the count of values that do not fit their column."""
        others = {position: row.other for position, row in enumerate(rows) if row.other}
        columns = zip(*(row.cells for row in rows), strict=True) if rows else iter([()] * len(self.names))
        return self.table(columns, others, len(rows))

    def table(self, columns: Iterable[Cells], others: dict[int, Record], rows: int) -> tuple[pa.RecordBatch, Findings]:
        """Return columns, and the count of values that do not fit their column.

        Args:
            columns: The cells of each column, or an array of its type.
            others: The fields outside the schema by row; modified.
            rows: Number of rows.
        """
        arrays, unfit = [], Counter[Oddity]()
        kind_of_unfit = OddityKind.IN_OTHER if self.has_other else OddityKind.LEFT_OUT
        for (name, kind), cells in zip(self.types, columns, strict=True):
            array = cells if isinstance(cells, pa.Array) else _array(kind, cells)
            if array is None:
                fitting, array = _fitting(kind, cells)
                for position, value in enumerate(cells):
                    if value is not fitting[position]:
                        others.setdefault(position, {})[name] = value
                        unfit[Oddity(kind_of_unfit, name)] += 1
            arrays.append(self._as_json(array) if kind is ColumnType.JSON else array)
        if self.has_other:
            texts = [_json_text(others[position]) if position in others else None for position in range(rows)]
            arrays.append(self._as_json(pa.array(texts, pa.string())))
        return pa.record_batch(arrays, schema=self.schema), Findings(dict(unfit)) if unfit else NO_FINDINGS


def _json_text(value: object) -> str:
    return dump_record(cast("Record", value)).decode()


def _fitting(kind: ColumnType, values: Sequence[object]) -> tuple[list[object], pa.Array]:
    """Return the values that fit a column, with None for the others, and their column."""
    fitting = [value if type(value) in _PYTHON_TYPES[kind] else None for value in values]
    array = _array(kind, fitting)
    if array is None:
        fitting = [value if _fits(kind, value) else None for value in fitting]
        array = _array(kind, fitting)
    return fitting, array


def _array(kind: ColumnType, values: Sequence[object]) -> pa.Array | None:
    """Return a column, or None if a value does not fit."""
    found = {*map(type, values)}
    if found == _ONLY_NULLS:
        return pa.nulls(len(values), kind.arrow)
    if not _PYTHON_TYPES[kind].issuperset(found):
        return None
    try:
        if kind is ColumnType.TIME:
            return _times(cast("Sequence[str | None]", values))
        return pa.array(values, kind.arrow)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        return None


def _times(values: Sequence[str | None]) -> pa.Array:
    """Return the datetimes of records as timestamps; raise ArrowInvalid if one has another form or an invalid date."""
    texts = [text for text in values if text is not None]
    shapes = "\n".join(texts).encode(errors="replace").translate(_DIGITS_TO_ZERO)
    if shapes != b"\n".join([_TIME_SHAPE] * len(texts)):
        raise pa.ArrowInvalid("another form")
    if texts and min(texts) < "0001":  # Arrow accepts the year 0, Python and others do not
        raise pa.ArrowInvalid("before year 1")
    return pa.array(values, pa.string()).cast(ColumnType.TIME.arrow)


def _fits(kind: ColumnType, value: object) -> bool:
    """Return whether `_array` accepts a value of an accepted type."""
    if kind is ColumnType.TIME and isinstance(value, str):
        try:
            return datetime.fromisoformat(value).isoformat(timespec="microseconds") == value
        except ValueError:
            return False
    return _array(kind, [value]) is not None
