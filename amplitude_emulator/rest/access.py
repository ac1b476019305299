"""Register the REST routes, with their common checks: keys, plan, limits, error bodies."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from amplitude_emulator.basic_auth import authorised_workspace
from amplitude_emulator.errors import FORBIDDEN, RequestRefusedError, refusal_response
from amplitude_emulator.json_responses import json_response
from amplitude_emulator.project import REGIONS, Region
from amplitude_emulator.rest.annotations_api import ANNOTATION_ROUTES
from amplitude_emulator.rest.charts_api import CHART_ROUTES
from amplitude_emulator.rest.cohorts_api import COHORT_ROUTES
from amplitude_emulator.rest.dashboard_api import DASHBOARD_ROUTES
from amplitude_emulator.rest.deletions_api import DELETION_ROUTES
from amplitude_emulator.rest.lookup_tables_api import LOOKUP_TABLE_ROUTES
from amplitude_emulator.rest.routes import ApiRequest, RestRoute
from amplitude_emulator.rest.storage import STORAGE_PREFIX, Storage
from amplitude_emulator.rest.taxonomy_api import TAXONOMY_ROUTES, not_found

if TYPE_CHECKING:
    from aiohttp import web

    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.rest.settings import Part, PlanRefusal
    from amplitude_emulator.workspace import Workspaces

REST_ROUTES: tuple[RestRoute, ...] = (
    *DASHBOARD_ROUTES,
    *CHART_ROUTES,
    *COHORT_ROUTES,
    *ANNOTATION_ROUTES,
    *TAXONOMY_ROUTES,
    *DELETION_ROUTES,
)
STATUS_OF_PLAN_REFUSAL: dict[PlanRefusal, int] = {"forbidden": FORBIDDEN, "not_found": 404, "invalid": 400}


class RestApis:
    """The routes below ``/us`` and ``/eu``, those of the lookup tables' host, and the storage."""

    def __init__(self, workspaces: Workspaces, clock: EmulatorClock, storage: Storage) -> None:
        self._workspaces = workspaces
        self._clock = clock
        self._storage = storage

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register all routes; call this last, because every other path below ``/api/`` gets a 404 here."""
        for region in REGIONS:
            self._add(router, f"/{region}", region, REST_ROUTES)
            self._add(router, f"/data-{region}", region, LOOKUP_TABLE_ROUTES)
        router.add_get(STORAGE_PREFIX + "{key}", self._storage.fetch, allow_head=False)

    def _add(self, router: web.UrlDispatcher, prefix: str, region: Region, routes: tuple[RestRoute, ...]) -> None:
        for route in routes:
            handler = partial(self._respond, region=region, route=route)
            router.add_get(f"{prefix}{route.path}", handler, allow_head=False)
        unknown = partial(self._respond, region=region, route=None)
        router.add_get(prefix + "/api/{unknown:.*}", unknown, allow_head=False)

    async def _respond(self, request: web.Request, region: Region, route: RestRoute | None) -> web.Response:
        """Respond to a request; check keys, path, plan, parameters and limits in this order."""
        try:
            authorization = request.headers.get("Authorization", "")
            workspace = authorised_workspace(self._workspaces, authorization, region)
            return await _respond(ApiRequest(request, workspace.content, self._clock, self._storage), route)
        except RequestRefusedError as refusal:
            return refusal_response(request.path, refusal)


async def _respond(request: ApiRequest, route: RestRoute | None) -> web.Response:
    if route is None:
        raise RequestRefusedError(404, "Not Found")
    return _refused_by_plan(request, route.part) or await _respond_within_limits(request, route)


async def _respond_within_limits(request: ApiRequest, route: RestRoute) -> web.Response:
    """Book the cost, then respond; refuse a request whose cost exceeds the budget."""
    settings, costs, path = request.content.settings, request.content.costs, request.http.path
    cost = route.cost(request)
    if route.part == "lookup_tables":  # different host; no limit is documented
        return route.respond(request)
    if route.part == "taxonomy":
        costs.begin_taxonomy(path, cost, is_enforced=settings.has_limits)
    else:
        costs.begin(path, cost, is_enforced=settings.has_limits)
    try:
        if settings.answer_seconds:
            await asyncio.sleep(settings.answer_seconds)
        return route.respond(request)
    finally:
        if route.part == "taxonomy":
            costs.end_taxonomy(cost)
        else:
            costs.end()


def _refused_by_plan(request: ApiRequest, part: Part) -> web.Response | None:
    settings = request.content.settings
    if part not in settings.missing_in_plan:
        return None
    status = STATUS_OF_PLAN_REFUSAL[settings.plan_refusal]
    if part == "taxonomy" and status != FORBIDDEN:
        return json_response(not_found(), status=status)
    # A client's test contains such a text (reference 0.3); the wording is inferred.
    name = part.replace("_", " ").capitalize()
    raise RequestRefusedError(status, f"{name} is not included in your current plan")
