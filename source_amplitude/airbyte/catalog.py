"""The streams as entries of Airbyte's catalog. Does not import the CDK."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from source_amplitude.ledger import CURSOR_FIELD
from source_amplitude.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection

    from source_amplitude.tables import Table


@dataclass(frozen=True)
class StreamKeys:
    """A stream's name, the columns that identify a record, and the cursor of an incremental stream."""

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None


EVENTS = StreamKeys("events", ("uuid",), CURSOR_FIELD)


def catalog_streams() -> list[dict[str, Any]]:
    """Return the catalog's entries of all streams, in the order of `SourceAmplitude.streams`."""
    return [_entry(EVENTS), *map(_entry, TABLES)]


def configured_catalog(names: Collection[str] | None) -> dict[str, Any]:
    """Return a configured catalog of the named streams, or of all if ``names`` is None: incremental where possible."""
    chosen = [each for each in catalog_streams() if names is None or each["name"] in names]
    return {"streams": [_configured(each) for each in chosen]}


def _configured(entry: dict[str, Any]) -> dict[str, Any]:
    mode = "incremental" if "incremental" in entry["supported_sync_modes"] else "full_refresh"
    return {"stream": entry, "sync_mode": mode, "destination_sync_mode": "append"}


def _entry(stream: StreamKeys | Table) -> dict[str, Any]:
    schema = resources.files("source_amplitude").joinpath("schemas").joinpath(f"{stream.name}.json")
    is_incremental = stream.cursor_field is not None
    entry = {
        "name": stream.name,
        "json_schema": json.loads(schema.read_text(encoding="utf-8")),
        "supported_sync_modes": ["full_refresh", "incremental"] if is_incremental else ["full_refresh"],
        "source_defined_primary_key": [[column] for column in stream.primary_key],
        "is_resumable": is_incremental,
    }
    if is_incremental:
        entry |= {"source_defined_cursor": True, "default_cursor_field": [stream.cursor_field]}
    return entry
