"""Export events window by window: plan, prefetch, verify, read, update the ledger. Does not depend on Airbyte."""

from source_amplitude.export.amplitude import Amplitude, Limits, newest_end, not_published_error
from source_amplitude.export.archives import Archives, Arrived
from source_amplitude.export.probe import Probe, probe_export
from source_amplitude.export.reader import ExportReader, HourDone, StillWaiting
from source_amplitude.export.stats import LinePosition, ProgressListener, SyncStats, hours_still_flawed

__all__ = [
    "Amplitude",
    "Archives",
    "Arrived",
    "ExportReader",
    "HourDone",
    "Limits",
    "LinePosition",
    "Probe",
    "ProgressListener",
    "StillWaiting",
    "SyncStats",
    "hours_still_flawed",
    "newest_end",
    "not_published_error",
    "probe_export",
]
