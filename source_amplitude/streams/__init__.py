"""The streams Airbyte sees, one file each; thin: what they emit is made below them."""

from source_amplitude.streams.events import Events
from source_amplitude.streams.events_sync import EventsContext
from source_amplitude.streams.every import rest_streams
from source_amplitude.streams.missing import MissingStream
from source_amplitude.streams.record_lines import SerializedRecords
from source_amplitude.streams.rest_stream import RestContext

__all__ = ["Events", "EventsContext", "MissingStream", "RestContext", "SerializedRecords", "rest_streams"]
