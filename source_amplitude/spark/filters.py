"""What a query's filters say about the hours that have to be asked for."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from source_amplitude.windows import HOUR, HourWindow, floor_hour, whole_units

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMN = ("server_upload_time",)
"""What an export's hours are hours of (documented, Export API); the other times lie anywhere."""

_MICROSECOND = datetime.resolution


def narrow(span: HourWindow, filters: Iterable[Any]) -> HourWindow | None:
    """Return the hours of ``span`` in which a row may lie that fulfils all ``filters``, or None where there are none.

    Spark applies the filters to the rows in any case.

    Args:
        span: Hours; whole days where Amplitude has day files.
        filters: Of `pyspark.sql.datasource`, known by their class's name as in Spark's own protocol; those on other
            columns, and those that do not bound time, say nothing.
    """
    start, end = span.start, span.end
    for each in filters:
        if getattr(each, "attribute", None) == _COLUMN:
            least, most = _bounds(type(each).__name__, getattr(each, "value", None), span)
            start = start if least is None else max(start, floor_hour(least))
            end = end if most is None else min(end, floor_hour(most) + HOUR)
    if start >= end:
        return None
    return whole_units(HourWindow(start, end))


def _bounds(name: str, value: object, span: HourWindow) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last moment that fulfil a filter; None for no bound."""
    if name == "In" and isinstance(value, tuple | list):
        moments = [_near(each, span) for each in value]
        known = [moment for moment in moments if moment is not None]
        return (min(known), max(known)) if known and len(known) == len(moments) else (None, None)
    moment = _near(value, span)
    if moment is None:
        return None, None
    return {
        "EqualTo": (moment, moment),
        "EqualNullSafe": (moment, moment),
        "GreaterThan": (moment, None),
        "GreaterThanOrEqual": (moment, None),
        "LessThan": (None, moment - _MICROSECOND),
        "LessThanOrEqual": (None, moment),
    }.get(name, (None, None))


def _near(value: object, span: HourWindow) -> datetime | None:
    """Return a moment in UTC, or the nearest one that is an hour outside ``span``: year 1 and 9999 mean no bound."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    least, most = span.start - HOUR, span.end + HOUR
    return least if value < least else most if value > most else value.astimezone(timezone.utc)
