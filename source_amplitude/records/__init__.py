"""Convert a line of an archive to records, with its oddities. Pure."""

from source_amplitude.records.datetimes import DATETIME_FIELDS, are_plain_datetimes, normalise_datetime
from source_amplitude.records.declared import Record, misfits
from source_amplitude.records.findings import Findings, Oddity, OddityKind, RepairedLine
from source_amplitude.records.lines import (
    NotAnEventError,
    dump_record,
    exact_records_from_line,
    has_huge_integer,
    may_hold_surrogates,
    records_from_line,
    replace_surrogates,
)

__all__ = [
    "DATETIME_FIELDS",
    "Findings",
    "NotAnEventError",
    "Oddity",
    "OddityKind",
    "Record",
    "RepairedLine",
    "are_plain_datetimes",
    "dump_record",
    "exact_records_from_line",
    "has_huge_integer",
    "may_hold_surrogates",
    "misfits",
    "normalise_datetime",
    "records_from_line",
    "replace_surrogates",
]
