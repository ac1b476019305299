"""The streams Airbyte sees, one file each; thin: what they emit is made below them."""

from source_amplitude.streams.events import Events
from source_amplitude.streams.events_sync import EventsContext
from source_amplitude.streams.missing import MissingStream
from source_amplitude.streams.record_lines import SerializedRecords

__all__ = ["Events", "EventsContext", "MissingStream", "SerializedRecords"]
