"""Dashboard REST except saved charts: users, sessions, composition, events, revenue (reference 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.json_answers import json_response
from amplitude_emulator.rest.dashboard_numbers import Numbers, numbers_of, values_of
from amplitude_emulator.rest.dashboard_queries import (
    choice,
    condition_count,
    days_asked_for,
    interval_asked_for,
    invalid,
    property_asked_for,
    segments_asked_for,
)
from amplitude_emulator.rest.query_metadata import query_metadata
from amplitude_emulator.rest.revenue_api import REVENUE_ROUTES
from amplitude_emulator.rest.routes import RestRoute
from amplitude_emulator.rest.session_lengths import bins_asked_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from aiohttp import web

    from amplitude_emulator.rest.routes import Asked

SESSION_COST_PER_DAY = 4  # documented, reference 3.1
EVENTS_LIST_COST = 1  # it has no days; inferred
LEAST_USERS, MOST_USERS = 20, 200


def users(asked: Asked) -> web.Response:
    """Answer ``/api/2/users``, whose recording has no metadata (reference 3.4)."""
    days, numbers = days_asked_for(asked), numbers_of(asked.content)
    measure, group = choice(asked, "m", ("active", "new")), property_asked_for(asked, "g")
    intervals = days.intervals(interval_asked_for(asked))
    segment_count = max(1, len(segments_asked_for(asked)))
    # Without a group-by Airbyte's tests have the label 0 (reference 3.4); with segments, inferred, their numbers.
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


def average_session_length(asked: Asked) -> web.Response:
    """Answer ``/api/2/sessions/average``: seconds a day (reference 3.6)."""

    def seconds(numbers: Numbers, day: date) -> float:
        return numbers.count(day, "session seconds", lowest=30_000, highest=900_000) / 1_000

    return _per_day(asked, seconds)


def sessions_per_user(asked: Asked) -> web.Response:
    """Answer ``/api/2/sessions/peruser`` (reference 3.7)."""

    def sessions(numbers: Numbers, day: date) -> float:
        return numbers.count(day, "sessions per user", lowest=100, highest=400) / 100

    return _per_day(asked, sessions)


def session_lengths(asked: Asked) -> web.Response:
    """Answer ``/api/2/sessions/length``; without sessions even ``xValues`` is empty (reference 3.5)."""
    days, bins, numbers = days_asked_for(asked), bins_asked_for(asked), numbers_of(asked.content)
    active = [day for day in days.all() if numbers.has_activity(day)]
    counts = [numbers.total(active, "session length", label, lowest=0, highest=90) for label in bins]
    data = {
        "series": [counts] if active else [],
        "seriesMeta": [{"segmentIndex": 0, "sessionIndex": 0}] if active else [],
        "xValues": bins if active else [],
        "seriesLabels": [0] if active else [],
        "seriesCollapsed": [[_collapsed(sum(counts))]] if active else [],
    }
    return json_response({"withSets": False, "data": data, **query_metadata(asked, "QUERY_GRAPH")})


def composition(asked: Asked) -> web.Response:
    """Answer ``/api/2/composition`` (reference 3.8); without users, inferred, nothing but the label."""
    days, name, numbers = days_asked_for(asked), _composed_property(asked), numbers_of(asked.content)
    active = [day for day in days.all() if numbers.has_activity(day)]
    values = values_of(name) if active else ()
    counts = [numbers.total(active, "composition", name, value, lowest=1, highest=60) for value in values]
    data = {"xValues": list(values), "series": [counts] if active else [], "seriesLabels": [name]}
    return json_response({"data": data, **query_metadata(asked, "COMPOSITION")})


def events_list(asked: Asked) -> web.Response:
    """Answer ``/api/2/events/list`` from the catalog, hidden events left out (reference 3.9)."""
    visible = [event for event in asked.content.catalog.events if not event.get("hidden")]
    return json_response({"data": visible, **query_metadata(asked, None)})


def _per_day(asked: Asked, value_of: Callable[[Numbers, date], float]) -> web.Response:
    """Answer in the recorded shape: times in ``xValues``, integers for zero, no empty series (reference 3.6)."""
    days, numbers = days_asked_for(asked).all(), numbers_of(asked.content)
    values = [value_of(numbers, day) or 0 for day in days]
    data = {
        "series": [values],
        "seriesCollapsed": [[_collapsed(round(sum(values) / len(values), 3) or 0)]],
        "seriesMeta": [{"segmentIndex": 0, "sessionIndex": 0}],
        "xValues": [f"{day.isoformat()}T00:00:00" for day in days],
    }
    return json_response({"data": data, **query_metadata(asked, "QUERY_GRAPH")})


def _collapsed(value: float) -> dict[str, object]:
    return {"setId": "", "value": value}


def _composed_property(asked: Asked) -> str:
    name = property_asked_for(asked, "p")
    if name is None:
        raise invalid("Missing required parameter p")
    return name


def _users_cost(asked: Asked) -> int:
    return days_asked_for(asked).count * condition_count(asked)


def _sessions_cost(asked: Asked) -> int:
    return days_asked_for(asked).count * SESSION_COST_PER_DAY


def _composition_cost(asked: Asked) -> int:
    """Return a cost of 1 a day: whether ``p`` counts as a group-by is not documented."""
    _composed_property(asked)
    return days_asked_for(asked).count


def _events_list_cost(_: Asked) -> int:
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
