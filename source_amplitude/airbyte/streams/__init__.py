"""Airbyte streams: thin adapters around `export` and `tables`."""

from source_amplitude.airbyte.streams.events import Events
from source_amplitude.airbyte.streams.record_lines import SerializedRecords
from source_amplitude.airbyte.streams.table_stream import MissingStream, table_stream

__all__ = ["Events", "MissingStream", "SerializedRecords", "table_stream"]
