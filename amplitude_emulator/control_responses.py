"""Helpers of the control routes: request and response bodies, and the selected project."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.control_access import refusal_of

if TYPE_CHECKING:
    from amplitude_emulator.workspace import Workspace, Workspaces

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def with_error_body(route: Route, request: web.Request) -> web.StreamResponse:
    """Call a route; orders that make no sense are answered with their reason instead of a traceback."""
    refusal = refusal_of(request)
    if refusal is not None:
        return control_json({"error": refusal}, status=403)
    try:
        return await route(request)
    except (ValueError, TypeError) as error:
        return control_json({"error": str(error)}, status=400)
    except KeyError as error:
        return control_json({"error": f"Not found: {error}"}, status=404)


def control_json(value: object, status: int = 200) -> web.Response:
    """Return indented JSON."""
    text = json.dumps(value, indent=1, default=str) + "\n"
    return web.Response(status=status, text=text, content_type="application/json")


async def read_object(request: web.Request) -> dict[str, object]:
    """Return the body as a JSON object."""
    value = json.loads(await request.read())
    if not isinstance(value, dict):
        raise TypeError("The body must be a JSON object")
    return value


def selected_workspace(workspaces: Workspaces, request: web.Request) -> Workspace:
    """Return the project of ``?project_id=``, by default the first. Raise KeyError if it is unknown."""
    project_id = request.query.get("project_id")
    return workspaces.all()[0] if project_id is None else workspaces.get(int(project_id))
