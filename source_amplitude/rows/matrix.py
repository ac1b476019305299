"""The dashboards' matrices: dates times labels (amplitude-api.md 3.4 to 3.8)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from source_amplitude.days import parse_day
from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.shapes import number, require_dict, require_list, unknown_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.days import DaySpan

Row = dict[str, Any]

_logger = logging.getLogger("airbyte")


def by_label(answer: object, _span: DaySpan) -> Iterator[Row]:
    """Yield ``{"date", "statistics": {label: value}}`` for each date that has any value.

    Raises:
        UnknownShapeError: The answer is no such matrix.
    """
    dates, labels, series = _matrix(answer)
    if series and len(labels) != len(series):
        raise UnknownShapeError(f"Amplitude's answer has {len(labels)} labels for {len(series)} series.")
    for place, date in enumerate(dates):
        statistics = {
            label: number(values[place], "a value of a series")
            for label, values in zip(labels, series, strict=True)
            if place < len(values)
        }
        if statistics:
            yield {"date": date, "statistics": statistics}


def one_value(answer: object, name: str) -> Iterator[Row]:
    """Yield ``{"date", name: value}`` for each date of a matrix with one series.

    Raises:
        UnknownShapeError: The answer is no such matrix.
    """
    dates, _, series = _matrix(answer)
    if len(series) > 1:
        raise UnknownShapeError(f"Amplitude's answer has {len(series)} series, where one is known.")
    for values in series:
        for date, value in zip(dates, values, strict=False):
            yield {"date": date, name: number(value, "a value of a series")}


def by_bin(answer: object, span: DaySpan) -> Iterator[Row]:
    """Yield ``{"date", "statistics": {bin: count}}`` for a histogram of the first day of ``span``.

    Raises:
        UnknownShapeError: The answer is no histogram.
    """
    bins, values = _histogram(answer)
    if values:
        yield {"date": str(span.first), "statistics": dict(zip(bins, values, strict=True))}


def composition(answer: object, span: DaySpan, name: str) -> Iterator[Row]:
    """Yield ``{"date", "property", "statistics": {value: users}}`` for the first day of ``span``.

    Raises:
        UnknownShapeError: The answer is no histogram.
    """
    values_of_property, counts = _histogram(answer)
    if counts:
        statistics = dict(zip(values_of_property, counts, strict=True))
        yield {"date": str(span.first), "property": name, "statistics": statistics}


def _matrix(answer: object) -> tuple[list[str], list[str], list[list[Any]]]:
    """Return dates, labels and one list of values for each label; short lists lack the last dates (observed)."""
    data = require_dict(require_dict(answer, "body").get("data"), "data")
    series = [require_list(values, "a series") for values in require_list(_array(data, "series"), "series")]
    dates = []
    for text in require_list(_array(data, "xValues"), "xValues"):
        day = parse_day(text)
        if day is None:
            raise unknown_shape("an element of xValues", "a date", text)
        dates.append(str(day))
    if any(len(values) > len(dates) for values in series):
        raise UnknownShapeError("Amplitude's answer has more values in a series than dates.")
    missing = sum(len(dates) - len(values) for values in series)
    if missing:
        _logger.warning("Amplitude's answer lacks %d values of its last dates; these have no record.", missing)
    if "seriesLabels" not in data:
        return dates, ["0"] * len(series) if len(series) == 1 else [], series
    return dates, [_label(each) for each in require_list(_array(data, "seriesLabels"), "seriesLabels")], series


def _histogram(answer: object) -> tuple[list[str], list[float | int | None]]:
    """Return the labels of a histogram and its counts; none of both where nothing happened."""
    data = require_dict(require_dict(answer, "body").get("data"), "data")
    labels = [str(label) for label in require_list(_array(data, "xValues"), "xValues")]
    series = [require_list(values, "a series") for values in require_list(_array(data, "series"), "series")]
    if len(series) > 1:
        raise UnknownShapeError(f"Amplitude's answer has {len(series)} series, where one is known.")
    counts = [number(value, "a value of a series") for value in (series[0] if series else [])]
    if counts and len(counts) != len(labels):
        raise UnknownShapeError(f"Amplitude's answer has {len(counts)} values for {len(labels)} labels.")
    return labels, counts


def _array(data: dict[str, Any], name: str) -> object:
    """Return a member of ``data``; null counts as empty (observed: upstream.md A4, 15208), a missing one as missing."""
    if name not in data:
        raise unknown_shape("data", f"an object with {name}", data)
    return [] if data[name] is None else data[name]


def _label(label: object) -> str:
    """Return a label; of a list such as ``[0, "blue"]`` the last element (observed)."""
    return str(label[-1]) if isinstance(label, list) and label else str(label)
