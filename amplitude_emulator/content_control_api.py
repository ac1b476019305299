"""Control routes for a project's settings, lists, cohorts and costs."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from functools import partial
from typing import TYPE_CHECKING

from amplitude_emulator.clock import format_instant, parse_instant
from amplitude_emulator.control_responses import control_json, read_object, selected_workspace, with_error_body
from amplitude_emulator.rest.catalog import catalog_with
from amplitude_emulator.rest.cohorts import Cohort, CohortMember, cohort_to_json
from amplitude_emulator.rest.settings import settings_with

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from amplitude_emulator.rest.content import ProjectContent
    from amplitude_emulator.workspace import Workspaces

COHORT_TIMES = ("last_mod", "created_at", "last_computed")


class ContentControlApi:
    """The control routes; ``emulator.content`` offers the same in Python."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def add_routes(self, router: web.UrlDispatcher, prefix: str) -> None:
        """Register all routes below a prefix that ends with a slash."""
        for method, path, route in CONTENT_CONTROL_ROUTES:
            handler = partial(with_error_body, partial(route, self))
            router.add_route(method, prefix + path, handler)

    async def get_settings(self, request: web.Request) -> web.Response:
        """Show a project's settings."""
        return control_json(asdict(self._content(request).settings))

    async def put_settings(self, request: web.Request) -> web.Response:
        """Change some settings."""
        content = self._content(request)
        content.settings = settings_with(content.settings, await read_object(request))
        return await self.get_settings(request)

    async def get_catalog(self, request: web.Request) -> web.Response:
        """Show a project's lists."""
        catalog = self._content(request).catalog
        return control_json({known.name: list(getattr(catalog, known.name)) for known in fields(catalog)})

    async def put_catalog(self, request: web.Request) -> web.Response:
        """Replace some lists."""
        content = self._content(request)
        content.catalog = catalog_with(content.catalog, await read_object(request))
        return await self.get_catalog(request)

    async def get_costs(self, request: web.Request) -> web.Response:
        """Show the bookings, and what counts against the budgets now."""
        costs = self._content(request).costs
        bookings = [{**vars(booking), "at": format_instant(booking.at)} for booking in costs.bookings]
        return control_json({"spent": costs.spent(), "bookings": bookings})

    async def delete_costs(self, request: web.Request) -> web.Response:
        """Refill the budgets."""
        self._content(request).costs.clear()
        return await self.get_costs(request)

    async def get_cohorts(self, request: web.Request) -> web.Response:
        """Show all cohorts with their members."""
        content = self._content(request)
        return control_json([_cohort_to_json(content, cohort) for cohort in content.cohorts.all()])

    async def put_cohort(self, request: web.Request) -> web.Response:
        """Add or replace a cohort; the body's keys are the fields of `Cohort`."""
        content, body = self._content(request), await read_object(request)
        cohort_id = request.match_info["cohort_id"]
        members = _members(body.pop("members", []))
        times = {name: _instant(body.pop(name)) for name in COHORT_TIMES if name in body}
        cohort = Cohort(cohort_id, str(body.pop("name", cohort_id)), members)
        cohort = replace(cohort, **times, **body)  # type: ignore[arg-type]  # TypeError if unknown
        return control_json(_cohort_to_json(content, content.cohorts.put(cohort)))

    async def recompute_cohort(self, request: web.Request) -> web.Response:
        """Recompute a cohort, with the members of the body if given."""
        content = self._content(request)
        body = await read_object(request) if request.can_read_body else {}
        members = _members(body["members"]) if "members" in body else None
        return control_json(
            _cohort_to_json(content, content.cohorts.recompute(request.match_info["cohort_id"], members))
        )

    async def delete_cohort(self, request: web.Request) -> web.Response:
        """Remove a cohort and list the others."""
        self._content(request).cohorts.remove(request.match_info["cohort_id"])
        return await self.get_cohorts(request)

    def _content(self, request: web.Request) -> ProjectContent:
        return selected_workspace(self._workspaces, request).content


CONTENT_CONTROL_ROUTES: tuple[
    tuple[str, str, Callable[[ContentControlApi, web.Request], Awaitable[web.Response]]], ...
] = (
    ("GET", "settings", ContentControlApi.get_settings),
    ("PUT", "settings", ContentControlApi.put_settings),
    ("GET", "catalog", ContentControlApi.get_catalog),
    ("PUT", "catalog", ContentControlApi.put_catalog),
    ("GET", "costs", ContentControlApi.get_costs),
    ("DELETE", "costs", ContentControlApi.delete_costs),
    ("GET", "cohorts", ContentControlApi.get_cohorts),
    ("PUT", "cohorts/{cohort_id}", ContentControlApi.put_cohort),
    ("DELETE", "cohorts/{cohort_id}", ContentControlApi.delete_cohort),
    ("POST", "cohorts/{cohort_id}/recompute", ContentControlApi.recompute_cohort),
)


def _cohort_to_json(content: ProjectContent, cohort: Cohort) -> dict[str, object]:
    item = cohort_to_json(cohort, content.project.project_id, with_syncs=True)
    return {**item, "members": [vars(member) for member in cohort.members]}


def _members(value: object) -> tuple[CohortMember, ...]:
    if not isinstance(value, list):
        raise TypeError("members must be a list of JSON objects")
    return tuple(_member(item) for item in value)


def _member(item: Mapping[str, object]) -> CohortMember:
    user_id, properties = item.get("user_id"), item.get("properties", {})
    if not isinstance(properties, dict):
        raise TypeError("properties must be a JSON object")
    return CohortMember(int(str(item["amplitude_id"])), None if user_id is None else str(user_id), properties)


def _instant(value: object) -> object:
    return None if value is None else parse_instant(str(value))
