"""Revenue LTV (amplitude-api.md 3.16): objects of figures by date, dates named in two ways."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from source_amplitude.days import parse_day
from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.shapes import number, require_dict, require_list, unknown_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.days import DaySpan

_LEAP_YEAR = 2024  # has all days that a name without a year can mean


def revenue_rows(answer: object, span: DaySpan) -> Iterator[dict[str, Any]]:
    """Yield ``{"date", "values": {figure: number}}``, oldest first.

    Args:
        answer: The decoded body.
        span: What was asked for, shorter than a year: dates such as ``Sep 24`` have no year (observed).

    Raises:
        UnknownShapeError: The answer has another shape, or a date that was not asked for.
    """
    data = require_dict(require_dict(answer, "body").get("data"), "data")
    series = require_list([] if data.get("series", ()) is None else data.get("series"), "series")
    if len(series) > 1:
        raise UnknownShapeError(f"Amplitude's answer has {len(series)} series, where one is known.")
    for one in series:
        values = require_dict(require_dict(one, "a series").get("values"), "values")
        rows = {_day(name, span): _figures(figures) for name, figures in values.items()}
        for date in sorted(rows):
            yield {"date": date, "values": rows[date]}


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
    for each in span:
        if (each.month, each.day) == (named.month, named.day):
            return str(each)
    raise UnknownShapeError(f"Amplitude's answer has the date {name!r}, which is not in {span}.")
