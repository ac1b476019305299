"""HTTP V2, Batch, Identify and Group Identify over HTTP (reference 6.1 and 6.4)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.errors import ingestion_response
from amplitude_emulator.event_validation import (
    BATCH_LIMITS,
    HTTP_V2_LIMITS,
    UploadLimits,
    UploadRefusedError,
    checked_events,
    parse_upload,
)
from amplitude_emulator.property_operations import mixes_operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amplitude_emulator.project import Region
    from amplitude_emulator.workspace import Workspace, Workspaces

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_IDENTIFY_TARGET_CHARACTERS = 4000  # 414 is documented for long GETs, the limit is not (6.4)
MAX_GROUP_IDENTIFIES = 1024  # reference 6.2


class IngestionApi:
    """Responds to uploads; passes valid ones to the project's `EventIntake`."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def routes(self, region: Region) -> list[tuple[str, Route]]:
        """Return the POST routes below a region's prefix."""
        return [
            ("/2/httpapi", partial(self.upload, region=region, path="/2/httpapi", limits=HTTP_V2_LIMITS)),
            ("/batch", partial(self.upload, region=region, path="/batch", limits=BATCH_LIMITS)),
            ("/identify", partial(self.identify, region=region)),
            ("/groupidentify", partial(self.group_identify, region=region)),
        ]

    async def upload(self, request: web.Request, region: Region, path: str, limits: UploadLimits) -> web.Response:
        """Respond to HTTP V2 or Batch."""
        body = await request.read()
        try:
            upload = parse_upload(body, request.content_type, limits)
            workspace = self._workspace(upload.api_key, region)
            events = checked_events(upload, limits)
        except UploadRefusedError as refusal:
            return ingestion_response(refusal.status, refusal.body)
        uploaded_ms = workspace.intake.ingest(events, path, request.remote or "")
        receipt = {
            "events_ingested": len(events),  # duplicates are counted too
            "payload_size_bytes": len(body),
            "server_upload_time": uploaded_ms,
        }
        return ingestion_response(200, receipt)

    async def identify(self, request: web.Request, region: Region) -> web.Response:
        """Respond to the Identify API. The success body is not documented; its text is inferred."""
        if len(str(request.rel_url)) > MAX_IDENTIFY_TARGET_CHARACTERS:
            return web.Response(status=414, text="Request-URI Too Large")
        form = await self._read_form(request, region)
        if isinstance(form, web.Response):
            return form
        workspace, items = form
        for item in items:
            if not (item.get("user_id") or item.get("device_id")) or _has_mixed_properties(item):
                return web.Response(status=400, text="missing_event")
        for item in items:
            workspace.intake.identify(item)
        return web.Response(text="success")

    async def group_identify(self, request: web.Request, region: Region) -> web.Response:
        """Respond to the Group Identify API."""
        form = await self._read_form(request, region)
        if isinstance(form, web.Response):
            return form
        workspace, items = form
        named = [item for item in items if item.get("group_type") and item.get("group_value")]
        if len(named) < len(items) or len(items) > MAX_GROUP_IDENTIFIES:
            return web.Response(status=400, text="missing_event")
        for item in named:
            change = item.get("group_properties")
            if isinstance(change, dict):
                workspace.intake.group_identify(str(item["group_type"]), str(item["group_value"]), change)
        return web.Response(text="success")

    def _workspace(self, api_key: str, region: Region) -> Workspace:
        workspace = self._workspaces.with_api_key(api_key, region)
        if workspace is None:
            raise UploadRefusedError(400, {"error": f"Invalid API key: {api_key}"})  # observed, 6.4
        return workspace

    async def _read_form(
        self, request: web.Request, region: Region
    ) -> tuple[Workspace, list[dict[str, object]]] | web.Response:
        """Return the project and the items of an ``identification``, or an error response (reference 6.4)."""
        form = {**request.query, **{key: str(value) for key, value in (await request.post()).items()}}
        workspace = self._workspaces.with_api_key(form.get("api_key", ""), region)
        if workspace is None:
            return web.Response(status=400, text="invalid_api_key")  # inferred
        try:
            content = json.loads(form.get("identification", ""))
        except (ValueError, RecursionError):
            content = None
        items = content if isinstance(content, list) else [content]
        if not items or not all(isinstance(item, dict) for item in items):
            return web.Response(status=400, text="missing_event")
        return workspace, items


def _has_mixed_properties(item: Mapping[str, object]) -> bool:
    properties = item.get("user_properties")
    return isinstance(properties, dict) and mixes_operations(properties)
