"""Events as Spark rows: the table's schema, and the conversion of lines to Arrow batches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import PySparkValueError
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
    VariantType,
    VariantVal,
)

from source_amplitude.encoding.column_types import OTHER, Columns, ColumnType, column_types
from source_amplitude.errors import InvalidConfigError
from source_amplitude.spark.options import Properties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from source_amplitude.encoding import Encoded

_TYPES: dict[ColumnType, tuple[DataType, ...]] = {
    ColumnType.TEXT: (StringType(),),
    ColumnType.TIME: (TimestampType(),),
    ColumnType.INTEGER: (LongType(),),
    ColumnType.NUMBER: (DoubleType(),),
    ColumnType.BOOLEAN: (BooleanType(),),
    ColumnType.JSON: (StringType(), VariantType()),
}
_ARROW_VARIANT = pa.struct(
    [
        pa.field("value", pa.binary(), nullable=False),
        pa.field("metadata", pa.binary(), nullable=False, metadata={"variant": "true"}),
    ]
)


def table_schema(properties: Properties) -> StructType:
    """Return all columns of the events, and the column for values that do not fit."""
    position = -1 if properties is Properties.VARIANT else 0
    return StructType([StructField(name, _TYPES[kind][position]) for name, kind in _kinds().items()])


def require_fitting(schema: StructType) -> None:
    """Raise an InvalidConfigError if a column of ``schema`` is unknown or has another type than in the events."""
    kinds = _kinds()
    problems = [
        f"schema: unknown column {field.name}"
        if field.name not in kinds
        else f"schema: {field.name} is {field.dataType.simpleString()}, but must be {_names(_TYPES[kinds[field.name]])}"
        for field in schema.fields
        if field.name not in kinds or field.dataType not in _TYPES[kinds[field.name]]
    ]
    if problems:
        raise InvalidConfigError(tuple(problems))


class Table:
    """Encodes lines as Arrow batches with the columns of a schema that `require_fitting` accepts."""

    def __init__(self, schema: StructType) -> None:
        self._names = schema.fieldNames()
        self._variants = frozenset(field.name for field in schema.fields if isinstance(field.dataType, VariantType))
        self._columns = Columns(self._names)

    def encode(self, body: bytes) -> Encoded[pa.RecordBatch]:
        """Return the rows of lines; skip blank lines, and report lines that are not JSON objects."""
        encoded = self._columns.encode(body)
        arrays = [self._array(name, encoded.payload.column(name)) for name in self._names]
        return replace(encoded, payload=pa.record_batch(arrays, names=self._names))

    def _array(self, name: str, column: pa.Array) -> pa.Array:
        return pa.array(map(_variant, column.to_pylist()), _ARROW_VARIANT) if name in self._variants else column


def _kinds() -> dict[str, ColumnType]:
    return {**column_types(), OTHER: ColumnType.JSON}


def _names(types: Sequence[DataType]) -> str:
    return " or ".join(each.simpleString() for each in types)


def _variant(text: str | None) -> dict[str, bytes] | None:
    if text is None:
        return None
    try:
        variant = VariantVal.parseJson(text)
    except PySparkValueError:
        raise InvalidConfigError(("properties: 'variant' cannot store a value above 16 MB; use 'json'",)) from None
    return {"value": variant.value, "metadata": variant.metadata}
