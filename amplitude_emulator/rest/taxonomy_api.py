"""Taxonomy: lists of categories, event types and properties (reference 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplitude_emulator.json_answers import json_response
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from amplitude_emulator.rest.catalog import Item
    from amplitude_emulator.rest.routes import Asked

COST_OF_READING = 1  # documented


def not_found() -> dict[str, object]:
    """Return the documented error body, here the one of a project without the plan (reference 0.3, 5.1)."""
    return {"success": False, "errors": [{"message": "Not found"}]}


def list_categories(asked: Asked) -> web.Response:
    """Answer ``category``."""
    return _listed(asked.content.catalog.event_categories)


def list_event_types(asked: Asked) -> web.Response:
    """Answer ``event``; deleted ones only if asked for."""
    return _listed(_unless_deleted(asked, asked.content.catalog.event_types))


def list_event_properties(asked: Asked) -> web.Response:
    """Answer ``event-property``: those of ``event_type``, else all.

    Documented is "shared ones" for the latter; a recording of 2026-08-18 shows one of an event type among them.
    """
    event_type = asked.parameter("event_type")
    items = asked.content.catalog.event_properties
    return _listed(item for item in items if event_type in (None, item.get("event_type")))


def list_user_properties(asked: Asked) -> web.Response:
    """Answer ``user-property``; deleted ones only if asked for."""
    return _listed(_unless_deleted(asked, asked.content.catalog.user_properties))


def list_group_properties(asked: Asked) -> web.Response:
    """Answer ``group-property``, of one group type if asked for."""
    group_type = asked.parameter("group_type")
    items = asked.content.catalog.group_properties
    return _listed(item for item in items if group_type in (None, item.get("group_type")))


def _unless_deleted(asked: Asked, items: Iterable[Item]) -> list[Item]:
    shows_deleted = asked.parameter("showDeleted") == "true"
    return [item for item in items if shows_deleted or not item.get("deleted")]


def _listed(items: Iterable[Item]) -> web.Response:
    return json_response({"success": True, "data": list(items)})


def _cost(_: Asked) -> int:
    return COST_OF_READING


TAXONOMY_ROUTES: tuple[RestRoute, ...] = tuple(
    RestRoute(f"/api/2/taxonomy/{name}", "taxonomy", answer, _cost)
    for name, answer in (
        ("category", list_categories),
        ("event", list_event_types),
        ("event-property", list_event_properties),
        ("user-property", list_user_properties),
        ("group-property", list_group_properties),
    )
)
