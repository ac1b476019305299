"""Dashboard figures by date: matrices and histograms (amplitude-api.md 3.4 to 3.8), revenue (3.16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import UnknownShapeError, counted
from source_amplitude.rows.days import parse_day
from source_amplitude.rows.shapes import label_text, number, require_dict, require_list, unique_names, unknown_shape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from source_amplitude.rows.days import DaySpan
    from source_amplitude.rows.shapes import Row

_LEAP_YEAR = 2024  # so that Feb 29 can be parsed


@dataclass(frozen=True)
class Matrix:
    """A table of values by label and date.

    Attributes:
        dates: The columns.
        labels: The names of the rows.
        series: The values of each label; a short list lacks the last dates (observed).
    """

    dates: list[str]
    labels: list[str]
    series: list[list[Any]]

    @classmethod
    def of(cls, body: object) -> Matrix:
        """Return the matrix in a decoded body."""
        data = require_dict(require_dict(body, "body").get("data"), "data")
        series = [require_list(values, "a series") for values in require_list(_array(data, "series"), "series")]
        dates = []
        for text in require_list(_array(data, "xValues"), "xValues"):
            day = parse_day(text)
            if day is None:
                raise unknown_shape("an element of xValues", "a date", text)
            dates.append(str(day))
        if any(len(values) > len(dates) for values in series):
            raise UnknownShapeError("Amplitude's response has more values in a series than dates.")
        return cls(dates, _labels(data, len(series)), series)

    def by_label(self) -> list[Row]:
        """Return ``{"date", "statistics": {label: value}}`` for each date with a value."""
        if not self.series:  # there may be labels (observed)
            return []
        if len(self.labels) != len(self.series):
            raise UnknownShapeError(
                f"Amplitude's response has {counted(len(self.labels), 'label')} for {len(self.series)} series."
            )
        rows = []
        for place, date in enumerate(self.dates):
            statistics = {
                label: number(values[place], "a value of a series")
                for label, values in zip(self.labels, self.series, strict=True)
                if place < len(values)
            }
            if statistics:
                rows.append({"date": date, "statistics": statistics})
        return rows

    def one_value(self, name: str) -> list[Row]:
        """Return ``{"date", name: value}`` for each date of a matrix with one series."""
        if len(self.series) > 1:
            raise UnknownShapeError(f"Amplitude's response has {len(self.series)} series; expected 1.")
        return [
            {"date": date, name: number(value, "a value of a series")}
            for values in self.series
            for date, value in zip(self.dates, values, strict=False)
        ]

    def first_cut_day(self, requested: Iterable[date] = ()) -> str | None:
        """Return the first date that a series lacks, or that is in ``requested`` but missing; None without one.

        Series shorter than their dates were observed (upstream.md A4, 15208).
        """
        shortest = min((len(values) for values in self.series), default=len(self.dates))
        cut = [*self.dates[shortest:], *{str(day) for day in requested}.difference(self.dates)]
        return min(cut, default=None)


def by_bin(body: object, span: DaySpan) -> list[Row]:
    """Return ``{"date", "statistics": {bin: count}}`` for a histogram of the first day of ``span``."""
    data = require_dict(require_dict(body, "body").get("data"), "data")
    labels = unique_names(map(label_text, require_list(_array(data, "xValues"), "xValues")))
    series = [require_list(values, "a series") for values in require_list(_array(data, "series"), "series")]
    if len(series) > 1:
        raise UnknownShapeError(f"Amplitude's response has {len(series)} series; expected 1.")
    counts = [number(value, "a value of a series") for value in (series[0] if series else [])]
    if not counts:
        return []
    if len(counts) != len(labels):
        raise UnknownShapeError(
            f"Amplitude's response has {counted(len(counts), 'value')} for {counted(len(labels), 'label')}."
        )
    return [{"date": str(span.first), "statistics": dict(zip(labels, counts, strict=True))}]


def composition(body: object, span: DaySpan, name: str) -> list[Row]:
    """Return ``{"date", "property", "statistics": {value: users}}`` for the first day of ``span``; see `by_bin`."""
    return [{"date": row["date"], "property": name, "statistics": row["statistics"]} for row in by_bin(body, span)]


def _labels(data: dict[str, Any], count: int) -> list[str]:
    """Return the names of the series: from ``seriesLabels`` (always observed) or ``seriesMeta`` (documented)."""
    meta = data.get("seriesMeta")
    if "seriesLabels" in data:
        labels = require_list(_array(data, "seriesLabels"), "seriesLabels")
    elif isinstance(meta, list) and meta and all(isinstance(each, str) for each in meta):
        labels = meta
    else:
        labels = ["0"] if count == 1 else []
    return unique_names(map(label_text, labels))


def _array(data: dict[str, Any], name: str) -> object:
    """Return a member of ``data``, an empty list for null (observed: upstream.md A4, 15208); raise if it is missing."""
    if name not in data:
        raise unknown_shape("data", f"an object with {name}", data)
    return [] if data[name] is None else data[name]


def revenue_rows(body: object, span: DaySpan) -> list[Row]:
    """Return ``{"date", "values": {figure: number}}``, oldest first.

    Args:
        body: The decoded response.
        span: The requested days, less than a year: dates such as ``Sep 24`` have no year (observed).

    Raises:
        UnknownShapeError: The response has another shape, or a date that does not match exactly one day of ``span``.
    """
    data = require_dict(require_dict(body, "body").get("data"), "data")
    series = require_list([] if data.get("series", ()) is None else data.get("series"), "series")
    if len(series) > 1:
        raise UnknownShapeError(f"Amplitude's response has {len(series)} series; expected 1.")
    if not series:
        return []
    values = require_dict(require_dict(series[0], "a series").get("values"), "values")
    rows = {_day_of_span(name, span): _figures(figures) for name, figures in values.items()}
    if len(rows) < len(values):
        raise UnknownShapeError("Amplitude's response has the same date twice, in two forms.")
    return [{"date": date, "values": rows[date]} for date in sorted(rows)]


def _figures(figures: object) -> dict[str, float | int | None]:
    return {name: number(value, "a figure") for name, value in require_dict(figures, "a date's figures").items()}


def _day_of_span(name: str, span: DaySpan) -> str:
    day = parse_day(name)
    if day is not None:
        return str(day)
    try:
        named = datetime.strptime(f"{name} {_LEAP_YEAR}", "%b %d %Y")  # noqa: DTZ007 - only its day and month count
    except ValueError:
        raise unknown_shape("a date", "a text such as Sep 24", name) from None
    meant = [each for each in span if (each.month, each.day) == (named.month, named.day)]
    if len(meant) != 1:
        raise UnknownShapeError(
            f"Amplitude's response has the date {name!r}, which matches {counted(len(meant), 'day')} of {span}."
        )
    return str(meant[0])
