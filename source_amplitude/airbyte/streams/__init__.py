"""The streams Airbyte sees, one file each; thin: what they emit is made below them."""

from source_amplitude.airbyte.streams.events import Events
from source_amplitude.airbyte.streams.every import rest_streams
from source_amplitude.airbyte.streams.missing import MissingStream
from source_amplitude.airbyte.streams.record_lines import SerializedRecords
from source_amplitude.airbyte.streams.rest_stream import RestContext

__all__ = ["Events", "MissingStream", "RestContext", "SerializedRecords", "rest_streams"]
