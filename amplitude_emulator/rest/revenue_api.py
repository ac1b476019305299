"""``GET /api/2/revenue/ltv`` (reference 3.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.json_answers import json_response
from amplitude_emulator.rest.dashboard_numbers import Numbers, numbers_of, values_of
from amplitude_emulator.rest.dashboard_queries import (
    choice,
    condition_count,
    days_asked_for,
    interval_asked_for,
    property_asked_for,
    segments_asked_for,
)
from amplitude_emulator.rest.query_metadata import query_metadata
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from datetime import date

    from aiohttp import web

    from amplitude_emulator.rest.routes import Asked

# Keys of a recording of 2026-09-24 (Nango); the documented ones end at r90d.
LAST_DAY = 180
NEW_DAYS = (1, 2, 3, 4, 5, 6, 7, 14, 30, 60, 90, 120, 180)
ARPU, ARPPU, TOTAL_REVENUE, PAYING_USERS = "0", "1", "2", "3"  # documented values of m


def lifetime_value(asked: Asked) -> web.Response:
    """Answer, days without revenue with zeros as recorded; days are called ``Sep 24``, without a year."""
    days, numbers, group = days_asked_for(asked), numbers_of(asked.content), property_asked_for(asked, "g")
    measure = _measure(asked)
    intervals = days.intervals(interval_asked_for(asked))
    segment_count = max(1, len(segments_asked_for(asked)))
    labels: list[int | str] = list(range(segment_count)) if group is None else list(values_of(group))
    series = [
        {
            "dates": [_name(interval[0]) for interval in reversed(intervals)],
            "values": {_name(interval[0]): _values(numbers, interval, measure, label) for interval in intervals},
        }
        for label in labels
    ]
    data = {"seriesLabels": labels, "series": series}
    return json_response({"data": data, **query_metadata(asked, "REVENUE")})


def _measure(asked: Asked) -> str:
    return choice(asked, "m", (ARPU, ARPPU, TOTAL_REVENUE, PAYING_USERS))


def _values(numbers: Numbers, interval: list[date], measure: str, label: object) -> dict[str, float]:
    """Return the users that were new in an interval, and what they paid by the n-th day after it.

    What ``r<n>new`` counts is not documented; here it repeats ``r<n>d``.
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


def _cost(asked: Asked) -> int:
    """Return 1 a day and condition: "anything else" (reference 3.1)."""
    _measure(asked)
    return days_asked_for(asked).count * condition_count(asked)


REVENUE_ROUTES: tuple[RestRoute, ...] = (RestRoute("/api/2/revenue/ltv", "dashboards", lifetime_value, _cost),)
