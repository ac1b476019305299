"""Taxonomy: lists of categories, event types and properties (reference 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from amplitude_emulator.rest.catalog import Item
    from amplitude_emulator.rest.routes import ApiRequest

COST_OF_READING = 1  # documented


def not_found() -> dict[str, object]:
    """Return the documented error body, used here for a plan without Taxonomy (reference 0.3, 5.1)."""
    return {"success": False, "errors": [{"message": "Not found"}]}


def list_categories(request: ApiRequest) -> web.Response:
    """Respond to ``category``."""
    return _listed(request.content.catalog.event_categories)


def list_event_types(request: ApiRequest) -> web.Response:
    """Respond to ``event``; include deleted ones only on request."""
    return _listed(_unless_deleted(request, request.content.catalog.event_types))


def list_event_properties(request: ApiRequest) -> web.Response:
    """Respond to ``event-property``: those of ``event_type``, or all without it.

    For the latter, the documentation promises shared ones only, but a recording of 2026-08-18 includes others.
    """
    event_type = request.parameter("event_type")
    items = request.content.catalog.event_properties
    return _listed(item for item in items if event_type in (None, item.get("event_type")))


def list_user_properties(request: ApiRequest) -> web.Response:
    """Respond to ``user-property``; include deleted ones only on request."""
    return _listed(_unless_deleted(request, request.content.catalog.user_properties))


def list_group_properties(request: ApiRequest) -> web.Response:
    """Respond to ``group-property``, of one group type if requested."""
    group_type = request.parameter("group_type")
    items = request.content.catalog.group_properties
    return _listed(item for item in items if group_type in (None, item.get("group_type")))


def _unless_deleted(request: ApiRequest, items: Iterable[Item]) -> list[Item]:
    shows_deleted = request.parameter("showDeleted") == "true"
    return [item for item in items if shows_deleted or not item.get("deleted")]


def _listed(items: Iterable[Item]) -> web.Response:
    return json_response({"success": True, "data": list(items)})


def _cost(_: ApiRequest) -> int:
    return COST_OF_READING


TAXONOMY_ROUTES: tuple[RestRoute, ...] = tuple(
    RestRoute(f"/api/2/taxonomy/{name}", "taxonomy", respond, _cost)
    for name, respond in (
        ("category", list_categories),
        ("event", list_event_types),
        ("event-property", list_event_properties),
        ("user-property", list_user_properties),
        ("group-property", list_group_properties),
    )
)
