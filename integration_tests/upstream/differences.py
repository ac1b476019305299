"""The allowed differences between a record of 0.6.19 and ours; any other difference is a bug."""

from __future__ import annotations

import json
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATETIME_FIELDS = (
    "client_event_time",
    "client_upload_time",
    "event_time",
    "processed_time",
    "server_received_time",
    "server_upload_time",
    "user_creation_time",
)
NEW_IN_OUR_SCHEMA = {"followed_an_identify", "raw_event_type"}
"""Columns that Amplitude documents for its warehouse exports; missing in 0.6.19's schema of events."""

_MISSING = object()


class Difference(Enum):
    """A known difference with its reason."""

    TOP_LEVEL_NULL = "0.6.19's CDK 4 prints top-level nulls of a record, CDK 7 omits them; Airbyte reads both"
    NO_FRACTION = "0.6.19 prints no fraction if the microseconds are zero, ours always prints Amplitude's six digits"
    OTHER_OFFSET = "0.6.19 keeps the offset of a datetime, ours converts to UTC; Amplitude never sends an offset"
    EMPTY_DATETIME = "0.6.19 keeps an empty datetime as empty text, ours omits it because typed columns refuse it"
    UNKNOWN = "not known"


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[tuple[str, Difference]]:
    """Yield each different field of a record with its kind of difference."""
    for name in sorted(theirs.keys() | ours.keys()):
        upstream_value, our_value = theirs.get(name, _MISSING), ours.get(name, _MISSING)
        if upstream_value is None and our_value is _MISSING:
            yield name, Difference.TOP_LEVEL_NULL
        elif name in DATETIME_FIELDS and (upstream_value, our_value) == ("", _MISSING):
            yield name, Difference.EMPTY_DATETIME
        elif _MISSING in (upstream_value, our_value):
            yield name, Difference.UNKNOWN
        elif _as_text(upstream_value) != _as_text(our_value):
            yield name, _of_datetimes(upstream_value, our_value) if name in DATETIME_FIELDS else Difference.UNKNOWN


def _as_text(value: object) -> str:
    # As JSON, because 1, 1.0 and True are equal in Python.
    return json.dumps(value, sort_keys=True)


def _of_datetimes(upstream_value: str, our_value: str) -> Difference:
    if upstream_value[:19] == our_value[:19]:
        is_known = our_value == f"{upstream_value[:19]}.000000+00:00" and upstream_value[19:] == "+00:00"
        return Difference.NO_FRACTION if is_known else Difference.UNKNOWN
    try:
        is_same = datetime.fromisoformat(upstream_value) == datetime.fromisoformat(our_value)
    except ValueError:
        return Difference.UNKNOWN
    return Difference.OTHER_OFFSET if is_same and our_value.endswith("+00:00") else Difference.UNKNOWN
