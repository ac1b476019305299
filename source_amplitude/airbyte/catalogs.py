"""Configured catalogs, made from the streams of this source: for ``read`` without a file, and for ``discover``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airbyte_cdk.models import (
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from airbyte_cdk.models import AirbyteCatalog, AirbyteStream


def configured_catalog(catalog: AirbyteCatalog, names: Collection[str] | None) -> ConfiguredAirbyteCatalog:
    """Return a catalog that appends the named streams, or all if ``names`` is None, incrementally where possible."""
    chosen = [each for each in catalog.streams if names is None or each.name in names]
    return ConfiguredAirbyteCatalog(streams=[_configured(each) for each in chosen])


def _configured(stream: AirbyteStream) -> ConfiguredAirbyteStream:
    modes = stream.supported_sync_modes or []
    mode = SyncMode.incremental if SyncMode.incremental in modes else SyncMode.full_refresh
    return ConfiguredAirbyteStream(stream=stream, sync_mode=mode, destination_sync_mode=DestinationSyncMode.append)


def as_json(catalog: ConfiguredAirbyteCatalog) -> str:
    """Return a configured catalog as indented JSON, without empty fields."""
    streams = ConfiguredAirbyteCatalogSerializer.dump(catalog)["streams"]
    kept = [_without_nulls({**each, "stream": _without_nulls(each["stream"])}) for each in streams]
    return json.dumps({"streams": kept}, indent=2)


def _without_nulls(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
