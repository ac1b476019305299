"""Convert a line of an archive to records, with its oddities. Pure."""

from source_amplitude.records.datetimes import (
    DATETIME_FIELDS,
    normalise_datetime,
    normalise_datetimes,
    normalise_plain_datetimes,
)
from source_amplitude.records.declared import Record, misfits
from source_amplitude.records.exact_json import may_lose_digits
from source_amplitude.records.findings import Findings, Oddity, OddityKind, RepairedLine
from source_amplitude.records.lines import (
    NotAnEventError,
    dump_record,
    exact_records_from_line,
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
    "dump_record",
    "exact_records_from_line",
    "may_hold_surrogates",
    "may_lose_digits",
    "misfits",
    "normalise_datetime",
    "normalise_datetimes",
    "normalise_plain_datetimes",
    "records_from_line",
    "replace_surrogates",
]
