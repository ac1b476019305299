"""JSON responses with the recorded headers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return JSON with the headers of recorded responses (reference 3.2)."""
    return web.Response(
        status=status,
        body=json.dumps(value).encode(),
        headers={
            "Content-Type": "application/json; charset=UTF-8",
            "Cache-Control": "no-cache, no-store, must-revalidate",
            **(headers or {}),
        },
    )
