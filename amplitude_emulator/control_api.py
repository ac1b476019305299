"""Routes under ``/_emulator/``: the Python API for other processes and languages.

No authentication: the emulator listens on loopback only. Bodies are JSON unless documented otherwise;
errors are ``{"error": text}``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.clock import format_instant, parse_instant
from amplitude_emulator.control_responses import control_json, read_object, selected_workspace, with_error_body
from amplitude_emulator.hours import HOUR, format_hour, parse_hour
from amplitude_emulator.sample_data import generate_hours

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.faults import Fault, Faults
    from amplitude_emulator.request_log import RequestLog
    from amplitude_emulator.store import HourStore, Member
    from amplitude_emulator.workspace import Workspaces


class ControlApi:
    """The control routes."""

    def __init__(
        self,
        workspaces: Workspaces,
        clock: EmulatorClock,
        faults: Faults,
        log: RequestLog,
        reset: Callable[[], None],
    ) -> None:
        self._workspaces = workspaces
        self._clock = clock
        self._faults = faults
        self._log = log
        self._reset = reset

    def add_routes(self, router: web.UrlDispatcher, prefix: str) -> None:
        """Register all routes below a prefix that ends with a slash."""
        for method, path, route in CONTROL_ROUTES:
            handler = partial(with_error_body, partial(route, self))
            router.add_route(method, prefix + path, handler)

    async def get_clock(self, _: web.Request) -> web.Response:
        return control_json({"now": format_instant(self._clock.now()), "running": self._clock.is_running})

    async def put_clock(self, request: web.Request) -> web.Response:
        """Set the clock, advance it, or both."""
        body = await read_object(request)
        if "now" in body:
            self._clock.set(parse_instant(str(body["now"])), running=bool(body.get("running", False)))
        if "advance_seconds" in body:
            self._clock.advance(timedelta(seconds=float(str(body["advance_seconds"]))))
        return await self.get_clock(request)

    async def get_faults(self, _: web.Request) -> web.Response:
        """List the active faults."""
        return control_json([_fault_to_json(fault) for fault in self._faults.active()])

    async def post_fault(self, request: web.Request) -> web.Response:
        """Add a fault; keys other than name, times, hour and path are its settings."""
        body = await read_object(request)
        name = str(body.pop("name", ""))
        times, hour, path = (body.pop(key, None) for key in ("times", "hour", "path"))
        fault = self._faults.add(
            name,
            times=None if times is None else int(str(times)),
            hour=None if hour is None else parse_hour(str(hour)),
            path=None if path is None else str(path),
            **body,
        )
        return control_json(_fault_to_json(fault), status=201)

    async def delete_faults(self, request: web.Request) -> web.Response:
        """Remove the fault of ``?id=``, or all, and list the others."""
        fault_id = request.query.get("id")
        if fault_id is None:
            self._faults.clear()
        else:
            self._faults.remove(int(fault_id))
        return await self.get_faults(request)

    async def get_requests(self, _: web.Request) -> web.Response:
        """List the requests to Amplitude's paths."""
        return control_json(
            [
                {
                    "method": seen.method,
                    "path": seen.path,
                    "query": dict(seen.query),
                    "status": seen.status,
                    "at": format_instant(seen.at),
                }
                for seen in self._log.snapshot()
            ]
        )

    async def delete_requests(self, _: web.Request) -> web.Response:
        """Clear the request log."""
        self._log.clear()
        return control_json([])

    async def get_projects(self, _: web.Request) -> web.Response:
        """List the projects with their keys."""
        return control_json([vars(workspace.project) for workspace in self._workspaces.all()])

    async def get_events(self, request: web.Request) -> web.Response:
        """Return the raw lines of the requested hours as NDJSON, published or not, for comparison in tests."""
        lines = self._store(request).lines(*_requested_hours(request))
        body = b"".join(line + b"\n" for line in lines)
        return web.Response(body=body, content_type="application/x-ndjson")

    async def get_members(self, request: web.Request) -> web.Response:
        """List the members of the requested hours."""
        members = self._store(request).members(*_requested_hours(request))
        return control_json([_member_to_json(member) for member in members])

    async def post_member(self, request: web.Request) -> web.Response:
        """Store the body's lines as a new member."""
        partition = request.query.get("partition")
        lines = _lines_of(await request.read())
        number = None if partition is None else int(partition)
        member = self._store(request).add_member(_hour(request), lines, number)
        return control_json(_member_to_json(member), status=201)

    async def put_member(self, request: web.Request) -> web.Response:
        """Create or replace a member with any content, or with bytes that are exported unchanged."""
        data = await request.read()
        put = self._store(request).put_gzip if _is_gzip(request) else self._store(request).put_content
        return control_json(_member_to_json(put(_hour(request), _partition(request), data)))

    async def put_repeated(self, request: web.Request) -> web.Response:
        """Create or replace a member: the body's line, repeated ``?times=``, compressed with ``?level=``."""
        line = (await request.read()).removesuffix(b"\n")
        times, level = int(request.query["times"]), int(request.query.get("level", 0))
        member = self._store(request).put_repeated(_hour(request), _partition(request), line, times, level=level)
        return control_json(_member_to_json(member))

    async def delete_member(self, request: web.Request) -> web.Response:
        """Remove a member and list the others."""
        self._store(request).remove_member(_hour(request), _partition(request))
        return await self.get_members(request)

    async def post_lines(self, request: web.Request) -> web.Response:
        """Append the body's lines to a member."""
        store, hour, partition = self._store(request), _hour(request), _partition(request)
        store.append_lines(hour, partition, _lines_of(await request.read()))
        return control_json(_member_to_json(store.member(hour, partition)))

    async def post_recompress(self, request: web.Request) -> web.Response:
        """Compress a member's content again, into different bytes."""
        member = self._store(request).recompress(_hour(request), _partition(request))
        return control_json(_member_to_json(member))

    async def put_published(self, request: web.Request) -> web.Response:
        """Publish an hour at a given time; null restores the usual delay."""
        at = (await read_object(request)).get("at")
        self._store(request).publish_at(_hour(request), None if at is None else parse_instant(str(at)))
        return control_json({"hour": format_hour(_hour(request)), "at": at})

    async def post_sample(self, request: web.Request) -> web.Response:
        """Create sample events; ``end`` is inclusive."""
        body = await read_object(request)
        start, end = (parse_hour(str(body[name])) for name in ("start", "end"))
        total = body.get("events")
        made = generate_hours(
            self._store(request),
            seed=int(str(body.get("seed", 7))),
            start=start,
            end=end + HOUR,
            events_per_hour=int(str(body.get("events_per_hour", 300))),
            total_events=None if total is None else int(str(total)),
        )
        return control_json({"events": made}, status=201)

    async def post_reset(self, request: web.Request) -> web.Response:
        """Reset the emulator to its initial state."""
        self._reset()
        return await self.get_clock(request)

    def _store(self, request: web.Request) -> HourStore:
        return selected_workspace(self._workspaces, request).store


_MEMBER = "hours/{hour}/members/{partition}"
CONTROL_ROUTES: tuple[tuple[str, str, Callable[[ControlApi, web.Request], Awaitable[web.Response]]], ...] = (
    ("GET", "clock", ControlApi.get_clock),
    ("PUT", "clock", ControlApi.put_clock),
    ("GET", "faults", ControlApi.get_faults),
    ("POST", "faults", ControlApi.post_fault),
    ("DELETE", "faults", ControlApi.delete_faults),
    ("GET", "requests", ControlApi.get_requests),
    ("DELETE", "requests", ControlApi.delete_requests),
    ("GET", "projects", ControlApi.get_projects),
    ("GET", "events", ControlApi.get_events),
    ("GET", "members", ControlApi.get_members),
    ("POST", "hours/{hour}/members", ControlApi.post_member),
    ("PUT", _MEMBER, ControlApi.put_member),
    ("DELETE", _MEMBER, ControlApi.delete_member),
    ("POST", f"{_MEMBER}/lines", ControlApi.post_lines),
    ("PUT", f"{_MEMBER}/repeated", ControlApi.put_repeated),
    ("POST", f"{_MEMBER}/recompress", ControlApi.post_recompress),
    ("PUT", "hours/{hour}/published", ControlApi.put_published),
    ("POST", "sample", ControlApi.post_sample),
    ("POST", "reset", ControlApi.post_reset),
)


def _hour(request: web.Request) -> datetime:
    return parse_hour(request.match_info["hour"])


def _partition(request: web.Request) -> int:
    return int(request.match_info["partition"])


def _requested_hours(request: web.Request) -> tuple[datetime | None, datetime | None]:
    """Return ``start`` and ``end`` of a query, both optional; ``end`` is inclusive, as in exports."""
    start, end = request.query.get("start"), request.query.get("end")
    return None if start is None else parse_hour(start), None if end is None else parse_hour(end) + HOUR


def _is_gzip(request: web.Request) -> bool:
    return request.content_type == "application/gzip"


def _lines_of(body: bytes) -> list[bytes]:
    return body.removesuffix(b"\n").split(b"\n")


def _member_to_json(member: Member) -> dict[str, object]:
    return {
        "name": str(member.name),
        "hour": format_hour(member.name.hour),
        "partition": member.name.partition,
        "size_bytes": member.size_bytes,
        "revision": member.revision,
    }


def _fault_to_json(fault: Fault) -> dict[str, object]:
    return {
        "id": fault.fault_id,
        "name": fault.name,
        "times": fault.times,
        "hour": None if fault.hour is None else format_hour(fault.hour),
        "path": fault.path,
        "settings": dict(fault.settings),
    }
