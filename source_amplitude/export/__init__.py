"""One window after another to events: plan, download ahead, verify, read, keep the ledger. Knows no Airbyte."""

from source_amplitude.export.hour import EncodedRecords
from source_amplitude.export.reader import ExportReader, HourDone, StillWaiting
from source_amplitude.export.settings import ExportSettings
from source_amplitude.export.tally import Tally

__all__ = [
    "EncodedRecords",
    "ExportReader",
    "ExportSettings",
    "HourDone",
    "StillWaiting",
    "Tally",
]
