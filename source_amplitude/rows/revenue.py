"""Revenue LTV (amplitude-api.md 3.16): objects of figures by date, dates named in two ways."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.days import parse_day
from source_amplitude.rows.shapes import number, require_dict, require_list, unknown_shape

if TYPE_CHECKING:
    from source_amplitude.rows.days import DaySpan

_LEAP_YEAR = 2024  # has all days that a name without a year can mean


def revenue_rows(answer: object, span: DaySpan) -> list[dict[str, Any]]:
    """Return ``{"date", "values": {figure: number}}``, oldest first.

    Args:
        answer: The decoded body.
        span: What was asked for, shorter than a year: dates such as ``Sep 24`` have no year (observed).

    Raises:
        UnknownShapeError: The answer has another shape, or a name that is no date or not one date of ``span``.
    """
    data = require_dict(require_dict(answer, "body").get("data"), "data")
    series = require_list([] if data.get("series", ()) is None else data.get("series"), "series")
    if len(series) > 1:
        raise UnknownShapeError(f"Amplitude's answer has {len(series)} series, where one is known.")
    if not series:
        return []
    values = require_dict(require_dict(series[0], "a series").get("values"), "values")
    rows = {_day(name, span): _figures(figures) for name, figures in values.items()}
    if len(rows) < len(values):
        raise UnknownShapeError("Amplitude's answer has the same date in two ways.")
    return [{"date": date, "values": rows[date]} for date in sorted(rows)]


def _figures(figures: object) -> dict[str, float | int | None]:
    return {name: number(value, "a figure") for name, value in require_dict(figures, "a date's figures").items()}


def _day(name: str, span: DaySpan) -> str:
    day = parse_day(name)
    if day is not None:
        return str(day)
    try:
        named = datetime.strptime(f"{name} {_LEAP_YEAR}", "%b %d %Y")  # noqa: DTZ007 - only its day and month count
    except ValueError:
        raise unknown_shape("a date", "a text such as Sep 24", name) from None
    meant = [each for each in span if (each.month, each.day) == (named.month, named.day)]
    if len(meant) != 1:
        raise UnknownShapeError(f"Amplitude's answer has the date {name!r}, which is {len(meant)} days of {span}.")
    return str(meant[0])
