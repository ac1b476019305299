"""``GET /api/2/revenue/ltv`` (reference 3.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.dashboard_numbers import Numbers, numbers_of, values_of
from amplitude_emulator.rest.dashboard_queries import (
    choice,
    condition_count,
    requested_days,
    requested_interval,
    requested_property,
    requested_segments,
)
from amplitude_emulator.rest.query_metadata import query_metadata
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from datetime import date

    from aiohttp import web

    from amplitude_emulator.rest.routes import ApiRequest

# Keys of a recording of 2026-09-24 (Nango); documented up to r90d.
LAST_DAY = 180
NEW_DAYS = (1, 2, 3, 4, 5, 6, 7, 14, 30, 60, 90, 120, 180)
ARPU, ARPPU, TOTAL_REVENUE, PAYING_USERS = "0", "1", "2", "3"  # documented values of m


def lifetime_value(request: ApiRequest) -> web.Response:
    """Respond to ``ltv``; days without revenue have zeros, and day names such as ``Sep 24`` have no year (recorded)."""
    days, numbers, group = requested_days(request), numbers_of(request.content), requested_property(request, "g")
    measure = _measure(request)
    intervals = days.intervals(requested_interval(request))
    segment_count = max(1, len(requested_segments(request)))
    labels: list[int | str] = list(range(segment_count)) if group is None else list(values_of(group))
    series = [
        {
            "dates": [_name(interval[0]) for interval in reversed(intervals)],
            "values": {_name(interval[0]): _values(numbers, interval, measure, label) for interval in intervals},
        }
        for label in labels
    ]
    data = {"seriesLabels": labels, "series": series}
    return json_response({"data": data, **query_metadata(request, "REVENUE")})


def _measure(request: ApiRequest) -> str:
    return choice(request, "m", (ARPU, ARPPU, TOTAL_REVENUE, PAYING_USERS))


def _values(numbers: Numbers, interval: list[date], measure: str, label: object) -> dict[str, float]:
    """Return the new users of an interval, and their revenue up to the n-th day after it.

    The meaning of ``r<n>new`` is not documented; here it equals ``r<n>d``.
    """
    paid = numbers.total(interval, "paid", label, lowest=1, highest=9)
    count = paid + numbers.total(interval, "new", label, lowest=10, highest=60)
    cents = numbers.total(interval, "cents", label, lowest=500, highest=9_000)
    age_days = (numbers.today - interval[0]).days

    def by_day(day: int) -> float:
        reached = cents * min(day, max(age_days, 0) + 1) / LAST_DAY / 100
        shown = {ARPU: reached / max(count, 1), ARPPU: reached / max(paid, 1), TOTAL_REVENUE: reached}
        return round(shown.get(measure, float(paid)), 4) or 0

    return {
        "paid": paid,
        "count": count,
        **{f"r{day}d": by_day(day) for day in range(1, LAST_DAY + 1)},
        **{f"r{day}new": by_day(day) for day in NEW_DAYS},
        "total_amount": cents / 100 or 0,
    }


def _name(day: date) -> str:
    return f"{day:%b %d}"


def _cost(request: ApiRequest) -> int:
    """Return a cost of 1 per day and condition: "anything else" (reference 3.1)."""
    _measure(request)
    return requested_days(request).count * condition_count(request)


REVENUE_ROUTES: tuple[RestRoute, ...] = (RestRoute("/api/2/revenue/ltv", "dashboards", lifetime_value, _cost),)
