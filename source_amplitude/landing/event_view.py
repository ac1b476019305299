"""The SQL of DuckDB's view ``events`` over the objects of a destination, with the same columns for all formats.

Each event is in the view once: `uuid` identifies it. Fields are read as text and converted afterwards, so that a value
that does not fit its column is NULL and does not end the query.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from source_amplitude.records.declared import SCHEMA_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIXES = {"raw": ".json.gz", "json": ".json.gz", "jsonl": ".jsonl.gz", "parquet": ".parquet"}
"""The end of the objects' names, by format."""

_TYPES = {"date-time": "TIMESTAMP", "string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_WHOLE_NUMBERS = ("session_id",)
"""Numbers in the schema that are whole in every event."""

_PATTERN = re.compile(r"[\[*?]")


def view_columns() -> dict[str, str]:
    """Return DuckDB's type of each column of the events' schema."""
    properties = json.loads(SCHEMA_FILE.read_bytes())["properties"]
    return {name: "BIGINT" if name in _WHOLE_NUMBERS else _type_of(field) for name, field in properties.items()}


def _type_of(field: Mapping[str, Any]) -> str:
    named = field["type"]
    types = [each for each in ([named] if isinstance(named, str) else named) if each != "null"]
    return _TYPES.get(field.get("format", types[0]), "JSON") if len(types) == 1 else "JSON"


def create_view(root: str, format_: str) -> str:
    """Return the statement that creates the view.

    Args:
        root: The destination: a folder's path, or an address that DuckDB can read.
        format_: A key of `SUFFIXES`.
    """
    columns = view_columns()
    is_parquet = format_ == "parquet"
    cast = _of_parquet if is_parquet else _of_text
    selected = ",\n  ".join(f"{cast(name, kind)} AS {_name(name)}" for name, kind in columns.items())
    literal_root = _PATTERN.sub(lambda found: f"[{found[0]}]", root)
    files = text(f"{literal_root}/events/date=*/hour=*/*{SUFFIXES[format_]}")
    folders = "hive_partitioning = true, hive_types = {date: DATE, hour: INTEGER}"
    if is_parquet:
        other, source = ",\n  CAST(_other AS JSON) AS _other", f"read_parquet({files}, {folders})"
    else:
        fields = ", ".join(
            f"{_name(name)}: '{'JSON' if kind == 'JSON' else 'VARCHAR'}'" for name, kind in columns.items()
        )
        # Lines that are not JSON objects become rows of NULL, which the condition leaves out.
        how = f"format = 'newline_delimited', ignore_errors = true, columns = {{{fields}}}"
        other, source = "", f"read_json({files}, {how}, {folders})"
    return (
        f"CREATE OR REPLACE VIEW events AS\nSELECT\n  {selected}{other},\n  date,\n  hour\nFROM {source}\n"
        "WHERE uuid IS NOT NULL OR event_type IS NOT NULL\n"
        "QUALIFY uuid IS NULL OR row_number() OVER (PARTITION BY uuid ORDER BY server_upload_time, date, hour) = 1;"
    )


def text(value: str) -> str:
    """Return a value as SQL text."""
    return "'" + value.replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _of_text(name: str, kind: str) -> str:
    return _name(name) if kind in ("VARCHAR", "JSON") else f"TRY_CAST({_name(name)} AS {kind})"


def _of_parquet(name: str, kind: str) -> str:
    if kind == "TIMESTAMP":  # in UTC, independent of the session's time zone
        return f"make_timestamp(epoch_us({_name(name)}))"
    return f"TRY_CAST({_name(name)} AS {kind})"
