"""The allowed differences between rows of 0.6.19 and ours in the other streams; any other difference is a bug."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integration_tests.upstream.connectors import CommandResult, Record

LISTS = ("cohorts", "events_list", "annotations")
BY_DATE = ("active_users", "average_session_length")
OTHER_STREAMS = (*LISTS, *BY_DATE)

ONLY_IN_V3 = {"category", "chart_id", "end", "start"}
NEW_IN_OUR_SCHEMAS = {
    "cohorts": {"cohort_definition_type", "cohort_output_type", "is_generated_content", "per_app_metadata"},
    "events_list": {"waitroom_approved"},
    "annotations": ONLY_IN_V3,
    "active_users": set[str](),
    "average_session_length": set[str](),
}
"""Observed columns that are missing in 0.6.19's schemas (0.6.19 emits those of the first two streams)."""

_MISSING = object()


class RowDifference(Enum):
    """A known difference with its reason."""

    TOP_LEVEL_NULL = "0.6.19's CDK 4 prints top-level nulls of a record, CDK 7 omits them; Airbyte reads both"
    ANNOTATIONS_V3 = "ours reads annotations from API v3, which has more fields than the v2 that 0.6.19 reads"
    OFFSET = "0.6.19 emits a time without offset, though date-time in its schema requires an offset (RFC 3339)"
    NOT_OVER = "0.6.19 reads today once and never again, ours reads a day after it has ended in all time zones"
    EMPTY_MONTH = (
        "Amplitude returns no series for a range without activity, and zeros for single days without activity; "
        "0.6.19 requests months, ours requests longer ranges and gets more zeros"
    )
    UNKNOWN = "not known"


def by_key(result: CommandResult, stream: str) -> dict[Any, Record]:
    """Return a stream's rows by id or by day."""
    name = "date" if stream in BY_DATE else "id"
    return {_key(record[name], stream): record for record in result.of_stream(stream).records}


def row_differences(
    stream: str, theirs: Mapping[Any, Record], ours: Mapping[Any, Record], newest_over: date
) -> dict[RowDifference, list[str]]:
    """Return the differences of two streams by kind; ``newest_over`` is the last day that has ended everywhere."""
    found: dict[RowDifference, list[str]] = defaultdict(list)
    for key in theirs.keys() | ours.keys():
        if key not in ours:
            is_known = stream in BY_DATE and key > newest_over
            found[RowDifference.NOT_OVER if is_known else RowDifference.UNKNOWN].append(f"{stream} {key}: theirs only")
        elif key not in theirs:
            is_known = stream == "active_users" and not any(ours[key]["statistics"].values())
            kind = RowDifference.EMPTY_MONTH if is_known else RowDifference.UNKNOWN
            found[kind].append(f"{stream} {key}: ours only")
        else:
            for field, kind in _of_rows(stream, theirs[key], ours[key]):
                values = f"{theirs[key].get(field)!r} {ours[key].get(field)!r}"
                found[kind].append(f"{stream} {key} {field}: {values}")
    return dict(found)


def _of_rows(stream: str, theirs: Record, ours: Record) -> Iterator[tuple[str, RowDifference]]:
    for name in sorted(theirs.keys() | ours.keys()):
        upstream_value, our_value = theirs.get(name, _MISSING), ours.get(name, _MISSING)
        if upstream_value is None and our_value is _MISSING:
            yield name, RowDifference.TOP_LEVEL_NULL
        elif upstream_value is _MISSING:
            is_known = stream == "annotations" and name in ONLY_IN_V3
            yield name, RowDifference.ANNOTATIONS_V3 if is_known else RowDifference.UNKNOWN
        elif our_value is _MISSING:
            yield name, RowDifference.UNKNOWN
        elif (stream, name) == ("average_session_length", "date") and our_value == f"{upstream_value}+00:00":
            yield name, RowDifference.OFFSET
        elif json.dumps(upstream_value) != json.dumps(our_value):  # as JSON: 1, 1.0 and True are equal in Python
            yield name, RowDifference.UNKNOWN


def _key(value: Any, stream: str) -> Any:  # noqa: ANN401 - an id or a date
    return date.fromisoformat(value[:10]) if stream in BY_DATE else value
