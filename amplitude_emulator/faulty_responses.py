"""The effect of each fault on a response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, cast

from aiohttp import web

from amplitude_emulator.broken_archives import EMPTY_ARCHIVE, break_member, clip_archive, flip_byte
from amplitude_emulator.delivery import (
    ArchiveResponse,
    BrokenOffResponse,
    Framing,
    SilentResponse,
    SlowResponse,
    open_body,
)
from amplitude_emulator.errors import (
    FILE_SIZE_TOO_LARGE,
    GATEWAY_PAGE,
    RequestRefusedError,
    envelope_response,
    gateway_response,
    ingestion_response,
    refusal_response,
)
from amplitude_emulator.json_responses import json_response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from amplitude_emulator.faults import Fault

# Returns the response without the fault.
Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Hit:
    """A request that a fault applies to. Call ``restore`` if the fault had no effect."""

    fault: Fault
    request: web.Request
    respond: Respond
    restore: Callable[[Fault], None]
    closing: asyncio.Event
    now: datetime

    @property
    def is_ingestion(self) -> bool:
        """Whether the path belongs to the API family whose bodies have ``code``."""
        return "/api/" not in self.request.path


async def respond_with_fault(hit: Hit) -> web.StreamResponse:
    """Return the response with the fault applied."""
    instead = _REPLACEMENTS.get(hit.fault.name)
    if instead is not None:
        await hit.request.read()  # an unread body would turn the response into a reset
        return instead(hit)
    damage = _DAMAGES.get(hit.fault.name)
    if damage is not None:
        return await _damaged_archive(hit, damage)
    return await _DELIVERIES[hit.fault.name](hit)


# Responses that replace the real one


def _too_many_requests(hit: Hit) -> web.Response:
    seconds = hit.fault.settings["retry_after_seconds"]
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    if hit.is_ingestion:
        return ingestion_response(429, THROTTLED, headers=headers)
    refusal = RequestRefusedError(429, hit.fault.text("details"))
    return refusal_response(hit.request.path, refusal, headers=headers)


# The body of reference 6.4 without devices and users, so that a client resends everything at once.
THROTTLED: Mapping[str, object] = {
    "error": "Too many requests for some devices and users",
    "eps_threshold": 30,
    "throttled_devices": {},
    "throttled_users": {},
    "throttled_events": [],
}


def _server_error(hit: Hit) -> web.Response:
    status = int(hit.fault.number("status"))
    if hit.fault.settings["body"] is None:
        return gateway_response(status, f"{status} error")
    return web.Response(status=status, text=hit.fault.text("body"), content_type=hit.fault.text("content_type"))


def _gateway_timeout(_: Hit) -> web.Response:
    return gateway_response(504, "504 Gateway Time-out")  # a gateway's body, reference 1.4


def _too_large(_: Hit) -> web.Response:
    return envelope_response(400, FILE_SIZE_TOO_LARGE)


def _bad_request(hit: Hit) -> web.Response:
    details, message, error_type = (hit.fault.text(setting) for setting in ("details", "message", "type"))
    status = int(hit.fault.number("status"))
    refusal = RequestRefusedError(status, details, message=message, error_type=error_type)
    return refusal_response(hit.request.path, refusal)


def _forbidden(hit: Hit) -> web.Response:
    if hit.is_ingestion:
        return ingestion_response(403, {"error": "Forbidden"})  # documented, reference 6.4
    return refusal_response(hit.request.path, RequestRefusedError(403, hit.fault.text("details")))


def _html_page(hit: Hit) -> web.Response:
    return gateway_response(int(hit.fault.number("status")), "Service unavailable")


def _json(hit: Hit) -> web.Response:
    return json_response(hit.fault.settings["body"], status=int(hit.fault.number("status")))


def _html_instead_of_zip(_: Hit) -> web.Response:
    # Reported from production (reference 0.3): an edge server's error page with status 200.
    return web.Response(text=GATEWAY_PAGE.format(title="Service unavailable"), content_type="text/html")


def _empty_body(_: Hit) -> web.Response:
    return web.Response(body=b"", content_type="application/zip")


def _empty_archive(_: Hit) -> web.Response:
    return web.Response(body=EMPTY_ARCHIVE, content_type="application/zip")


_REPLACEMENTS: Mapping[str, Callable[[Hit], web.Response]] = {
    "too_many_requests": _too_many_requests,
    "server_error": _server_error,
    "gateway_timeout_above_hours": _gateway_timeout,
    "too_large_above_hours": _too_large,
    "bad_request": _bad_request,
    "forbidden": _forbidden,
    "html_page": _html_page,
    "json": _json,
    "html_instead_of_zip": _html_instead_of_zip,
    "empty_body": _empty_body,
    "empty_archive": _empty_archive,
}

# Damage to the real archive

Damage = Callable[[bytes, "Fault"], bytes]

_DAMAGES: Mapping[str, Damage] = {
    "clipped_archive": lambda archive, fault: clip_archive(archive, int(fault.number("lost_members"))),
    "flipped_byte": lambda archive, fault: flip_byte(archive, int(fault.number("member"))),
    "broken_member": lambda archive, fault: break_member(archive, int(fault.number("member")), fault.text("how")),
}


async def _damaged_archive(hit: Hit, damage: Damage) -> web.StreamResponse:
    response = await hit.respond(hit.request)
    if not isinstance(response, ArchiveResponse):
        hit.restore(hit.fault)
        return response
    with open_body(response) as body:
        archive = body.read()
    return web.Response(body=damage(archive, hit.fault), content_type="application/zip")


# Other ways of delivering the real response


async def _cut_body(hit: Hit) -> web.StreamResponse:
    response = await hit.respond(hit.request)
    whole_bytes = response.content_length or 0
    share = hit.fault.settings["after_bytes"]
    after_bytes = whole_bytes * hit.fault.number("fraction") if share is None else hit.fault.number("after_bytes")
    framing = cast("Framing", hit.fault.text("framing"))
    return BrokenOffResponse(response, after_bytes=int(after_bytes), framing=framing, reset=False)


async def _connection_reset(hit: Hit) -> web.StreamResponse:
    response = await hit.respond(hit.request)
    has_head = hit.fault.settings["after_bytes"] is not None
    after_bytes = int(hit.fault.number("after_bytes")) if has_head else None
    return BrokenOffResponse(response, after_bytes=after_bytes, framing="content_length", reset=True)


async def _slow_drip(hit: Hit) -> web.StreamResponse:
    return SlowResponse(await hit.respond(hit.request), hit.fault.number("bytes_per_second"))


async def _prepare(hit: Hit) -> web.StreamResponse:
    await asyncio.sleep(hit.fault.number("seconds"))
    return await hit.respond(hit.request)


async def _no_answer(hit: Hit) -> web.StreamResponse:
    await hit.request.read()
    return SilentResponse(hit.fault.number("seconds"), hit.closing)


async def _wrong_clock(hit: Hit) -> web.StreamResponse:
    response = await hit.respond(hit.request)
    shown = hit.now + timedelta(seconds=hit.fault.number("offset_seconds"))
    response.headers["Date"] = format_datetime(shown, usegmt=True)
    return response


_DELIVERIES: Mapping[str, Callable[[Hit], Awaitable[web.StreamResponse]]] = {
    "cut_body": _cut_body,
    "connection_reset": _connection_reset,
    "slow_drip": _slow_drip,
    "prepare": _prepare,
    "no_answer": _no_answer,
    "wrong_clock": _wrong_clock,
}
