"""The dashboards' matrices: dates times labels (amplitude-api.md 3.4 to 3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.days import parse_day
from source_amplitude.rows.shapes import label_text, number, require_dict, require_list, unique_names, unknown_shape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from source_amplitude.rows.days import DaySpan

Row = dict[str, Any]


def by_label(answer: object, _span: DaySpan) -> list[Row]:
    """Return ``{"date", "statistics": {label: value}}`` for each date that has any value.

    Raises:
        UnknownShapeError: The answer is no such matrix.
    """
    dates, labels, series = _matrix(answer)
    if not series:  # whatever labels there are
        return []
    if len(labels) != len(series):
        raise UnknownShapeError(f"Amplitude's answer has {len(labels)} labels for {len(series)} series.")
    rows = []
    for place, date in enumerate(dates):
        statistics = {
            label: number(values[place], "a value of a series")
            for label, values in zip(labels, series, strict=True)
            if place < len(values)
        }
        if statistics:
            rows.append({"date": date, "statistics": statistics})
    return rows


def one_value(answer: object, name: str) -> list[Row]:
    """Return ``{"date", name: value}`` for each date of a matrix with one series.

    Raises:
        UnknownShapeError: The answer is no such matrix.
    """
    dates, _, series = _matrix(answer)
    if len(series) > 1:
        raise UnknownShapeError(f"Amplitude's answer has {len(series)} series, where one is known.")
    return [
        {"date": date, name: number(value, "a value of a series")}
        for values in series
        for date, value in zip(dates, values, strict=False)
    ]


def by_bin(answer: object, span: DaySpan) -> list[Row]:
    """Return ``{"date", "statistics": {bin: count}}`` for a histogram of the first day of ``span``.

    Raises:
        UnknownShapeError: The answer is no histogram.
    """
    bins, values = _histogram(answer)
    if not values:
        return []
    return [{"date": str(span.first), "statistics": dict(zip(bins, values, strict=True))}]


def composition(answer: object, span: DaySpan, name: str) -> list[Row]:
    """Return ``{"date", "property", "statistics": {value: users}}`` for the first day of ``span``.

    Raises:
        UnknownShapeError: The answer is no histogram.
    """
    values_of_property, counts = _histogram(answer)
    if not counts:
        return []
    statistics = dict(zip(values_of_property, counts, strict=True))
    return [{"date": str(span.first), "property": name, "statistics": statistics}]


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
    return dates, _labels(data, len(series)), series


def _labels(data: dict[str, Any], count: int) -> list[str]:
    """Return the names of the series, which no answer observed lacks; ``seriesMeta`` has them where documented."""
    meta = data.get("seriesMeta")
    if "seriesLabels" in data:
        labels = require_list(_array(data, "seriesLabels"), "seriesLabels")
    elif isinstance(meta, list) and meta and all(isinstance(each, str) for each in meta):
        labels = meta
    else:
        labels = ["0"] if count == 1 else []
    return unique_names(map(label_text, labels))


def _histogram(answer: object) -> tuple[list[str], list[float | int | None]]:
    """Return the labels of a histogram and its counts; none of both where nothing happened."""
    data = require_dict(require_dict(answer, "body").get("data"), "data")
    labels = unique_names(map(label_text, require_list(_array(data, "xValues"), "xValues")))
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


def first_cut_day(answer: object, asked: Iterable[date] = ()) -> str | None:
    """Return the first date that has no value of every series, or is not among the dates; None if there is none.

    Series shorter than their dates were observed (upstream.md A4, 15208).

    Args:
        answer: The decoded body.
        asked: Dates that have to be there.
    """
    dates, _, series = _matrix(answer)
    shortest = min((len(values) for values in series), default=len(dates))
    cut = [*dates[shortest:], *{str(day) for day in asked}.difference(dates)]
    return min(cut, default=None)
