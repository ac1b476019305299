"""User Privacy: the jobs that delete users, ``GET /api/2/deletions/users`` (reference 5.5)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from amplitude_emulator.errors import RequestRefusedError
from amplitude_emulator.json_answers import json_response
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from aiohttp import web

    from amplitude_emulator.rest.routes import Asked

MOST_MONTHS = 6  # documented
# Recorded 2026-06-16 (Nango): JSON that calls itself HTML.
RECORDED_CONTENT_TYPE = "text/html; charset=UTF-8"


def list_deletions(asked: Asked) -> web.Response:
    """Answer with the jobs of some days, both ends included: a bare array."""
    settings = asked.content.settings
    first, last = _day(asked, "start_day"), _day(asked, "end_day")
    if first > last:
        raise _invalid("start_day is after end_day")
    if _spans_more_than(MOST_MONTHS, first, last):
        raise _invalid(f"The time range is longer than {MOST_MONTHS} months")
    asked.content.costs.book_deletion_request(is_enforced=settings.has_limits)
    jobs = [job for job in asked.content.catalog.deletions if str(first) <= str(job.get("day")) <= str(last)]
    return json_response(jobs, headers={"Content-Type": RECORDED_CONTENT_TYPE})


def _day(asked: Asked, name: str) -> date:
    text = asked.parameter(name)
    if text is None:
        raise _invalid(f"Missing required parameter {name}")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(f"Invalid {name}: expected the format YYYY-MM-DD") from None


def _spans_more_than(months: int, first: date, last: date) -> bool:
    """Whether the last day is later than the first one's day that many months on."""
    apart = (last.year - first.year) * 12 + last.month - first.month
    return (apart, last.day) > (months, first.day)


def _invalid(details: str) -> RequestRefusedError:
    """Return a 400; its texts are inferred."""
    return RequestRefusedError(400, details, error_type="invalid")


DELETION_ROUTES: tuple[RestRoute, ...] = (RestRoute("/api/2/deletions/users", "deletions", list_deletions),)
