"""Saved charts: ``GET /api/3/chart/{id}/csv`` and ``/query`` (reference 3.17)."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

from amplitude_emulator.errors import RequestRefusedError
from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.dashboard_numbers import numbers_of
from amplitude_emulator.rest.dashboard_queries import Days
from amplitude_emulator.rest.query_metadata import query_metadata
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from datetime import date

    from aiohttp import web

    from amplitude_emulator.rest.catalog import Item
    from amplitude_emulator.rest.routes import ApiRequest

DEFAULT_DAYS = 30


def chart_csv(request: ApiRequest) -> web.Response:
    """Return CSV in JSON: title lines, empty lines, then the table.

    As recorded on 2026-09-25, every cell is quoted, and names begin with a TAB, but numbers do not.
    """
    chart = _chart(request)
    days = _days(request, chart)
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([_named(chart.get("name"))])
    writer.writerow([_named(chart.get("description"))])
    text.write("\r\n")
    writer.writerow([_named(chart.get("metric"))])
    writer.writerow([_named(chart.get("event"))])
    text.write("\r\n")
    writer.writerow([_named("Segment"), *(_named(day.isoformat()) for day in days)])
    for segment in _segments(chart):
        writer.writerow([_named(segment), *_values(request, chart, segment, days)])
    return json_response({"data": text.getvalue()})


def chart_query(request: ApiRequest) -> web.Response:
    """Return the chart's numbers as objects."""
    chart = _chart(request)
    days, segments = _days(request, chart), _segments(chart)
    rows = [_values(request, chart, segment, days) for segment in segments]
    data = {
        "series": [[{"setId": "", "value": value} for value in row] for row in rows],
        "seriesLabels": segments,
        "seriesCollapsed": [[{"setId": "", "value": sum(row)}] for row in rows],
        "xValues": [day.isoformat() for day in days],
    }
    return json_response({"data": data, **query_metadata(request, "QUERY_GRAPH")})


def _chart(request: ApiRequest) -> Item:
    chart_id = request.path_part("chart_id")
    for chart in request.content.catalog.charts:
        if chart.get("id") == chart_id:
            return chart
    raise RequestRefusedError(404, f"Chart {chart_id} was not found")  # inferred


def _days(request: ApiRequest, chart: Item) -> list[date]:
    """Return the chart's last days, up to today in the project's time zone."""
    today = request.content.today()
    count = int(str(chart.get("days", DEFAULT_DAYS)))
    return Days(today - timedelta(days=count - 1), today).all()


def _segments(chart: Item) -> list[str]:
    segments = chart.get("segments", ["All Users"])
    return [str(segment) for segment in segments] if isinstance(segments, list | tuple) else []


def _values(request: ApiRequest, chart: Item, segment: str, days: list[date]) -> list[int]:
    numbers = numbers_of(request.content)
    return [numbers.count(day, "chart", chart.get("id"), segment, lowest=0, highest=40) for day in days]


def _named(value: object) -> str:
    return f"\t{value}"


def _cost(request: ApiRequest) -> int:
    """Return the cost of a segmentation of one event: days times segments (reference 3.1)."""
    chart = _chart(request)
    return len(_days(request, chart)) * max(1, len(_segments(chart)))


CHART_ROUTES: tuple[RestRoute, ...] = (
    RestRoute("/api/3/chart/{chart_id}/csv", "dashboards", chart_csv, _cost),
    RestRoute("/api/3/chart/{chart_id}/query", "dashboards", chart_query, _cost),
)
