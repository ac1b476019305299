"""User Privacy: the deletion jobs, ``GET /api/2/deletions/users`` (reference 5.5)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from amplitude_emulator.errors import RequestRefusedError
from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from aiohttp import web

    from amplitude_emulator.rest.routes import ApiRequest

MOST_MONTHS = 6  # documented
# Recorded 2026-06-16 (Nango): the content type of this JSON is text/html.
RECORDED_CONTENT_TYPE = "text/html; charset=UTF-8"


def list_deletions(request: ApiRequest) -> web.Response:
    """Return the jobs of the requested days, both ends inclusive, as a bare array."""
    settings = request.content.settings
    first, last = _day(request, "start_day"), _day(request, "end_day")
    if first > last:
        raise _invalid("start_day is after end_day")
    if _spans_more_than(MOST_MONTHS, first, last):
        raise _invalid(f"The time range is longer than {MOST_MONTHS} months")
    request.content.costs.book_deletion_request(is_enforced=settings.has_limits)
    jobs = [job for job in request.content.catalog.deletions if str(first) <= str(job.get("day")) <= str(last)]
    return json_response(jobs, headers={"Content-Type": RECORDED_CONTENT_TYPE})


def _day(request: ApiRequest, name: str) -> date:
    text = request.parameter(name)
    if text is None:
        raise _invalid(f"Missing required parameter {name}")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(f"Invalid {name}: expected the format YYYY-MM-DD") from None


def _spans_more_than(months: int, first: date, last: date) -> bool:
    """Whether the last day is more than ``months`` months after the first."""
    apart = (last.year - first.year) * 12 + last.month - first.month
    return (apart, last.day) > (months, first.day)


def _invalid(details: str) -> RequestRefusedError:
    """Return a 400; the texts are inferred."""
    return RequestRefusedError(400, details, error_type="invalid")


DELETION_ROUTES: tuple[RestRoute, ...] = (RestRoute("/api/2/deletions/users", "deletions", list_deletions),)
