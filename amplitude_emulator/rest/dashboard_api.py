"""Dashboard REST except saved charts: users, sessions, composition, events, revenue (reference 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.dashboard_numbers import Numbers, numbers_of, values_of
from amplitude_emulator.rest.dashboard_queries import (
    choice,
    condition_count,
    invalid,
    requested_days,
    requested_interval,
    requested_property,
    requested_segments,
)
from amplitude_emulator.rest.query_metadata import query_metadata
from amplitude_emulator.rest.revenue_api import REVENUE_ROUTES
from amplitude_emulator.rest.routes import RestRoute
from amplitude_emulator.rest.session_lengths import requested_bins

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from aiohttp import web

    from amplitude_emulator.rest.routes import ApiRequest

SESSION_COST_PER_DAY = 4  # documented, reference 3.1
EVENTS_LIST_COST = 1  # the route has no days; inferred
LEAST_USERS, MOST_USERS = 20, 200


def users(request: ApiRequest) -> web.Response:
    """Respond to ``/api/2/users``; its recording has no metadata (reference 3.4)."""
    days, numbers = requested_days(request), numbers_of(request.content)
    measure, group = choice(request, "m", ("active", "new")), requested_property(request, "g")
    intervals = days.intervals(requested_interval(request))
    segment_count = max(1, len(requested_segments(request)))
    # Without group-by, the label is 0 in Airbyte's tests (reference 3.4). Segment numbers as labels are inferred.
    labels: list[int | str] = list(range(segment_count)) if group is None else list(values_of(group))
    series = [
        [
            numbers.total(interval, "users", measure, group, label, lowest=LEAST_USERS, highest=MOST_USERS)
            for interval in intervals
        ]
        for label in labels
    ]
    if not any(map(numbers.has_activity, days.all())):
        series, labels = [], []
    data = {
        "xValues": [interval[0].isoformat() for interval in intervals],
        "series": series,
        "seriesCollapsed": [[_collapsed(sum(values))] for values in series],
        "seriesLabels": labels,
        "seriesMeta": [{"segmentIndex": index if group is None else 0} for index in range(len(labels))],
    }
    return json_response({"data": data})


def average_session_length(request: ApiRequest) -> web.Response:
    """Respond to ``/api/2/sessions/average``: seconds per day (reference 3.6)."""

    def seconds(numbers: Numbers, day: date) -> float:
        return numbers.count(day, "session seconds", lowest=30_000, highest=900_000) / 1_000

    return _per_day(request, seconds)


def sessions_per_user(request: ApiRequest) -> web.Response:
    """Respond to ``/api/2/sessions/peruser`` (reference 3.7)."""

    def sessions(numbers: Numbers, day: date) -> float:
        return numbers.count(day, "sessions per user", lowest=100, highest=400) / 100

    return _per_day(request, sessions)


def session_lengths(request: ApiRequest) -> web.Response:
    """Respond to ``/api/2/sessions/length``; without sessions, ``xValues`` is empty too (reference 3.5)."""
    days, bins, numbers = requested_days(request), requested_bins(request), numbers_of(request.content)
    active = [day for day in days.all() if numbers.has_activity(day)]
    counts = [numbers.total(active, "session length", label, lowest=0, highest=90) for label in bins]
    data = {
        "series": [counts] if active else [],
        "seriesMeta": [{"segmentIndex": 0, "sessionIndex": 0}] if active else [],
        "xValues": bins if active else [],
        "seriesLabels": [0] if active else [],
        "seriesCollapsed": [[_collapsed(sum(counts))]] if active else [],
    }
    return json_response({"withSets": False, "data": data, **query_metadata(request, "QUERY_GRAPH")})


def composition(request: ApiRequest) -> web.Response:
    """Respond to ``/api/2/composition`` (reference 3.8); that only the label is left without users is inferred."""
    days, name, numbers = requested_days(request), _composed_property(request), numbers_of(request.content)
    active = [day for day in days.all() if numbers.has_activity(day)]
    values = values_of(name) if active else ()
    counts = [numbers.total(active, "composition", name, value, lowest=1, highest=60) for value in values]
    data = {"xValues": list(values), "series": [counts] if active else [], "seriesLabels": [name]}
    return json_response({"data": data, **query_metadata(request, "COMPOSITION")})


def events_list(request: ApiRequest) -> web.Response:
    """Respond to ``/api/2/events/list`` with the catalog's events that are not hidden (reference 3.9)."""
    visible = [event for event in request.content.catalog.events if not event.get("hidden")]
    return json_response({"data": visible, **query_metadata(request, None)})


def _per_day(request: ApiRequest, value_of: Callable[[Numbers, date], float]) -> web.Response:
    """Return the recorded form: times in ``xValues``, integers for zero, no empty series (reference 3.6)."""
    days, numbers = requested_days(request).all(), numbers_of(request.content)
    values = [value_of(numbers, day) or 0 for day in days]
    data = {
        "series": [values],
        "seriesCollapsed": [[_collapsed(round(sum(values) / len(values), 3) or 0)]],
        "seriesMeta": [{"segmentIndex": 0, "sessionIndex": 0}],
        "xValues": [f"{day.isoformat()}T00:00:00" for day in days],
    }
    return json_response({"data": data, **query_metadata(request, "QUERY_GRAPH")})


def _collapsed(value: float) -> dict[str, object]:
    return {"setId": "", "value": value}


def _composed_property(request: ApiRequest) -> str:
    name = requested_property(request, "p")
    if name is None:
        raise invalid("Missing required parameter p")
    return name


def _users_cost(request: ApiRequest) -> int:
    return requested_days(request).count * condition_count(request)


def _sessions_cost(request: ApiRequest) -> int:
    return requested_days(request).count * SESSION_COST_PER_DAY


def _composition_cost(request: ApiRequest) -> int:
    """Return a cost of 1 per day; whether ``p`` counts as a group-by is not documented."""
    _composed_property(request)
    return requested_days(request).count


def _events_list_cost(_: ApiRequest) -> int:
    return EVENTS_LIST_COST


DASHBOARD_ROUTES: tuple[RestRoute, ...] = (
    RestRoute("/api/2/users", "dashboards", users, _users_cost),
    RestRoute("/api/2/sessions/average", "dashboards", average_session_length, _sessions_cost),
    RestRoute("/api/2/sessions/peruser", "dashboards", sessions_per_user, _sessions_cost),
    RestRoute("/api/2/sessions/length", "dashboards", session_lengths, _sessions_cost),
    RestRoute("/api/2/composition", "dashboards", composition, _composition_cost),
    RestRoute("/api/2/events/list", "dashboards", events_list, _events_list_cost),
    *REVENUE_ROUTES,
)
