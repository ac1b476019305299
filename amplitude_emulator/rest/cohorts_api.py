"""Behavioral Cohorts: list, download in three steps, usage (reference 2)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.errors import RequestRefusedError
from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.cohort_downloads import pack, property_names_of, write_csv
from amplitude_emulator.rest.cohorts import cohort_to_json
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from amplitude_emulator.rest.cohort_downloads import CohortDownload
    from amplitude_emulator.rest.cohorts import CohortMember
    from amplitude_emulator.rest.routes import ApiRequest

ALL_BY_REDIRECT = -1


def list_cohorts(request: ApiRequest) -> web.Response:
    """Return the published cohorts."""
    with_syncs = request.parameter("includeSyncInfo") == "true"
    project_id = request.content.project.project_id
    published = [cohort for cohort in request.content.cohorts.all() if cohort.is_published]
    return json_response(
        {"cohorts": [cohort_to_json(cohort, project_id, with_syncs=with_syncs) for cohort in published]}
    )


def usage(request: ApiRequest) -> web.Response:
    """Return the monthly quota; that ``resets_at`` is a text is inferred (reference 2.6)."""
    now, content = request.clock.now(), request.content
    next_month = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=timezone.utc)
    quota = {
        "limit": content.settings.cohort_downloads_a_month,
        "usage": content.costs.spent()["cohort_requests_month"],
        "resets_at": next_month.isoformat(),
    }
    return json_response({"rest_download": quota})


def begin_download(request: ApiRequest) -> web.Response:
    """Start a download (step 1): 202 with the request id; it counts against the quota."""
    content = request.content
    try:
        cohort = content.cohorts.get(request.path_part("cohort_id"))
    except KeyError:
        raise RequestRefusedError(404, "Cohort not found") from None  # "error" is documented, the text is inferred
    settings = content.settings
    content.costs.book_cohort_request(
        content.downloads.unfinished(), settings.cohort_downloads_a_month, is_enforced=settings.has_limits
    )
    names = _property_names(request, cohort.members)
    download = content.downloads.begin(cohort, names, settings.cohort_pending_polls)
    return json_response({"request_id": download.request_id, "cohort_id": download.cohort_id}, status=202)


def download_status(request: ApiRequest) -> web.Response:
    """Return the status (step 2)."""
    download, is_complete = request.content.downloads.poll(_known_request(request).request_id)
    body = {
        "request_id": download.request_id,
        "cohort_id": download.cohort_id,
        "async_status": "JOB COMPLETED" if is_complete else "JOB INPROGRESS",
    }
    return json_response(body, status=200 if is_complete else 202)


def download_file(request: ApiRequest) -> web.Response:
    """Return the file, or a redirect to it (step 3)."""
    download, settings = _known_request(request), request.content.settings
    if not download.is_complete:
        raise RequestRefusedError(400, "The cohort is not ready")  # inferred
    has_header = bool(download.members) or settings.cohort_empty_file == "header"
    data = write_csv(download, settings.cohort_property_prefix) if has_header else b""
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    if settings.cohort_packing != "plain":
        data = pack(data)
        if settings.cohort_packing == "content_encoding":
            headers["Content-Encoding"] = "gzip"
        else:
            headers["Content-Type"] = "application/gzip"
    limit = settings.cohort_inline_bytes
    if limit != ALL_BY_REDIRECT and len(data) <= limit:
        return web.Response(body=data, headers=headers)
    return web.Response(status=302, headers={"Location": request.storage.link(request.http, data, headers)})


def _known_request(request: ApiRequest) -> CohortDownload:
    try:
        return request.content.downloads.get(request.path_part("request_id"))
    except KeyError:
        raise RequestRefusedError(404, "Request not found") from None  # inferred


def _property_names(request: ApiRequest, members: tuple[CohortMember, ...]) -> list[str]:
    """Return the requested properties: none, those of ``propKeys``, or all."""
    if request.parameter("props") != "1":
        return []
    keys = request.http.query.getall("propKeys", [])
    return [key.removeprefix("gp:") for key in keys] or property_names_of(members)


COHORT_ROUTES: tuple[RestRoute, ...] = (
    RestRoute("/api/3/cohorts", "cohorts", list_cohorts),
    RestRoute("/api/3/cohorts/usage", "cohorts", usage),
    RestRoute("/api/5/cohorts/request/{cohort_id}", "cohorts", begin_download),
    RestRoute("/api/5/cohorts/request-status/{request_id}", "cohorts", download_status),
    RestRoute("/api/5/cohorts/request/{request_id}/file", "cohorts", download_file),
)
