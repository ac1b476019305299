"""The bodies of error answers, by API family (reference 0.3 and 6.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

# Texts marked "recorded" or "observed" come from the reference; "inferred" ones are this emulator's.
INVALID_API_KEY = "Invalid API Key"  # observed, reference 0.3
INVALID_KEY_COMBINATION = "Invalid API/Secret Key combination"  # observed, reference 0.3
NOTHING_FOUND = "Raw data files were not found."  # recorded 2026-06-16, reference 0.3
# Inferred; users of Airbyte's connector saw "file size ... too large".
FILE_SIZE_TOO_LARGE = "The export file size is too large. Try a shorter time range."

FORBIDDEN = 403
GATEWAY_PAGE = "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"


def envelope_response(status: int, details: str, *, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the JSON envelope of the ``amplitude.com/api`` family.

    ``message`` is left out for 403, as in the observed bodies (reference 0.3).
    """
    error: dict[str, object] = {"http_code": status, "type": "unspecified"}
    if status != FORBIDDEN:
        error["message"] = "Unspecified Error"
    error["metadata"] = {"details": details}
    return web.Response(
        status=status,
        body=json.dumps({"error": error}).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def ingestion_response(
    status: int, body: Mapping[str, object], *, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an answer of HTTP V2 or Batch: JSON that repeats the status as ``code``."""
    return web.Response(
        status=status,
        body=json.dumps({"code": status, **body}).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def gateway_response(status: int, title: str) -> web.Response:
    """Return an HTML page such as a gateway in front of Amplitude sends (reference 0.3, 5)."""
    return web.Response(status=status, text=GATEWAY_PAGE.format(title=title), content_type="text/html")
