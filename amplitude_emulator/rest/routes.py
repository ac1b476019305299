"""What a route of these APIs is, and what it is given."""

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
class Asked:
    """A request whose keys are right, with the project it concerns."""

    request: web.Request
    content: ProjectContent
    clock: EmulatorClock
    storage: Storage

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the query; an empty one counts as absent."""
        return self.request.query.get(name) or None

    def path_part(self, name: str) -> str:
        """Return a variable part of the path, decoded."""
        return self.request.match_info[name]


def no_cost(_: Asked) -> int:
    """Return 0: the route is outside the cost model, though it counts as one of the requests at once."""
    return 0


@dataclass(frozen=True)
class RestRoute:
    """One GET route.

    Attributes:
        path: Below a region's prefix, in aiohttp's notation.
        part: Which part of a plan it belongs to; decides its limits.
        answer: Makes the answer, or raises `RequestRefusedError`.
        cost: What the request costs (reference 3.1); refuses parameters that make no sense.
    """

    path: str
    part: Part
    answer: Callable[[Asked], web.Response]
    cost: Callable[[Asked], int] = no_cost
