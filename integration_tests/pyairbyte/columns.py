"""The rows of PyAirbyte's DuckDB cache for records, by the stream's JSON schema."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from integration_tests.environments import PROJECT

CATALOG = json.loads((PROJECT / "unit_tests" / "golden" / "catalog.json").read_text("utf-8"))["catalog"]["streams"]
SCHEMAS: dict[str, dict[str, Any]] = {stream["name"]: stream["json_schema"]["properties"] for stream in CATALOG}
KEYS: dict[str, list[str]] = {
    stream["name"]: [path[0] for path in stream["source_defined_primary_key"]] for stream in CATALOG
}


def column_of(field: str) -> str:
    """Return the column of a field: lower case, other characters become underscores."""
    return re.sub(r"[^a-z0-9_]", "_", field.lower())


def type_of(schema: dict[str, Any]) -> str:
    """Return the DuckDB type of a field."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kinds = [kind for kind in types if kind != "null"]
    if len(kinds) > 1:
        return "VARCHAR"
    if kinds == ["string"]:
        return {"date-time": "TIMESTAMP", "date": "DATE"}.get(schema.get("format", ""), "VARCHAR")
    return {
        "integer": "BIGINT",
        "number": "DECIMAL(38,9)",
        "boolean": "BOOLEAN",
        "object": "JSON",
        "array": "JSON",
    }[kinds[0]]


def row_of(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return a row with exactly the declared columns; JSON as normalised text."""
    return {column_of(field): _value(type_of(schema), record.get(field)) for field, schema in SCHEMAS[stream].items()}


def comparable(stream: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a DuckDB row with normalised JSON."""
    bags = {column_of(field) for field, schema in SCHEMAS[stream].items() if type_of(schema) == "JSON"}
    return {
        name: _normalised(json.loads(value)) if name in bags and value is not None else value
        for name, value in row.items()
    }


def _value(kind: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    if value is None:
        return None
    if kind == "TIMESTAMP":
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        # DuckDB's type has no zone; PyAirbyte's values are UTC.
        return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment
    if kind == "DATE":
        return datetime.fromisoformat(str(value)).date()
    if kind == "DECIMAL(38,9)":
        return Decimal(str(value)).quantize(Decimal("1e-9"))
    is_text = kind == "VARCHAR" and not isinstance(value, str)  # a field with several types
    return _normalised(value) if kind == "JSON" or is_text else value


def _normalised(value: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
