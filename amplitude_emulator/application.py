"""The routes, and the middleware of all responses: date, request log, faults, error bodies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.errors import envelope_response, ingestion_response
from amplitude_emulator.export_api import parse_window
from amplitude_emulator.faulty_responses import Hit, respond_with_fault
from amplitude_emulator.project import REGIONS
from amplitude_emulator.request_log import RequestLog, RequestSeen

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.content_control_api import ContentControlApi
    from amplitude_emulator.control_api import ControlApi
    from amplitude_emulator.export_api import ExportApi
    from amplitude_emulator.faults import Faults
    from amplitude_emulator.hours import ExportWindow
    from amplitude_emulator.ingestion_api import IngestionApi
    from amplitude_emulator.rest.access import RestApis

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTROL_PREFIX = "/_emulator/"
# Above the largest documented request, 20 MB of Batch (reference 6.2), so that our own 413 is sent.
MAX_READ_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class ServerContext:
    """The clock, faults and request log that all responses share; ``closing`` is set when the server ends."""

    clock: EmulatorClock
    faults: Faults
    log: RequestLog
    closing: asyncio.Event

    @web.middleware
    async def respond(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Respond to a request: apply a matching fault, log the request, set the ``Date`` header."""
        if request.path.startswith(CONTROL_PREFIX):
            response = await _respond(handler, request)
        else:
            with self.log.under_way() as at_once:
                response = await self._respond_as_amplitude(request, handler)
            self._note(request, response, at_once)
        response.headers.setdefault("Date", format_datetime(self.clock.now(), usegmt=True))
        return response

    async def _respond_as_amplitude(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self.faults.take(request.path, _window_of(request))
        respond = partial(_respond, handler)
        if fault is None:
            return await respond(request)
        now = self.clock.now()
        hit = Hit(fault, request, respond, self.faults.restore, self.closing, now)
        return await respond_with_fault(hit)

    def _note(self, request: web.Request, response: web.StreamResponse, at_once: int) -> None:
        status = getattr(response, "logged_status", response.status)
        query = dict(request.query)
        self.log.add(RequestSeen(request.method, request.path, query, status, self.clock.now(), at_once))


def make_application(
    context: ServerContext,
    export: ExportApi,
    ingestion: IngestionApi,
    rest: RestApis,
    controls: Sequence[ControlApi | ContentControlApi],
) -> web.Application:
    """Return the application with Amplitude's paths by region, and the control routes."""
    application = web.Application(middlewares=[context.respond], client_max_size=MAX_READ_BYTES)
    router = application.router
    for region in REGIONS:
        router.add_get(f"/{region}/api/2/export", partial(export.export, region=region), allow_head=False)
        for path, handler in ingestion.routes(region):
            router.add_post(f"/{region}{path}", handler)
        identify = partial(ingestion.identify, region=region)
        router.add_get(f"/{region}/identify", identify, allow_head=False)
    rest.add_routes(router)
    for control in controls:
        control.add_routes(router, CONTROL_PREFIX)
    return application


async def _respond(handler: Handler, request: web.Request) -> web.StreamResponse:
    """Call a route; errors of the router become an error body of the path's API family."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return ingestion_response(413, {"error": "Payload too large"})  # documented, reference 6.4
    except web.HTTPException as refusal:
        return envelope_response(refusal.status, refusal.reason)


def _window_of(request: web.Request) -> ExportWindow | None:
    if not request.path.endswith("/api/2/export"):
        return None
    try:
        return parse_window(request.query)
    except ValueError:
        return None
