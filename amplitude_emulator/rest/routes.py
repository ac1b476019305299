"""A route of the REST APIs, and the request it receives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.rest.content import ProjectContent
    from amplitude_emulator.rest.settings import Part
    from amplitude_emulator.rest.storage import Storage


@dataclass(frozen=True)
class ApiRequest:
    """An authenticated request with its project."""

    http: web.Request
    content: ProjectContent
    clock: EmulatorClock
    storage: Storage

    def parameter(self, name: str) -> str | None:
        """Return a query parameter; None if it is missing or empty."""
        return self.http.query.get(name) or None

    def path_part(self, name: str) -> str:
        """Return a decoded variable of the path."""
        return self.http.match_info[name]


def no_cost(_: ApiRequest) -> int:
    """Return 0: the route is outside the cost model, but counts as a concurrent request."""
    return 0


@dataclass(frozen=True)
class RestRoute:
    """One GET route.

    Attributes:
        path: The path below a region's prefix, in aiohttp's notation.
        part: The part of the plan that includes it; determines its limits.
        respond: Returns the response, or raises `RequestRefusedError`.
        cost: Returns the cost of a request (reference 3.1), or raises `RequestRefusedError` for invalid parameters.
    """

    path: str
    part: Part
    respond: Callable[[ApiRequest], web.Response]
    cost: Callable[[ApiRequest], int] = no_cost
