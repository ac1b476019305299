"""The bodies of error responses, by API family (reference 0.3 and 6.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

# Texts marked "recorded" or "observed" are Amplitude's own, by the reference; "inferred" ones are this emulator's.
INVALID_API_KEY = "Invalid API Key"  # observed, reference 0.3
INVALID_KEY_COMBINATION = "Invalid API/Secret Key combination"  # observed, reference 0.3
NOTHING_FOUND = "Raw data files were not found."  # recorded 2026-06-16, reference 0.3
# Inferred; users of Airbyte's connector saw "file size ... too large".
FILE_SIZE_TOO_LARGE = "The export file size is too large. Try a shorter time range."

FORBIDDEN = 403
UNSPECIFIED, UNSPECIFIED_ERROR = "unspecified", "Unspecified Error"  # recorded, reference 0.3
GATEWAY_PAGE = "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"


class RequestRefusedError(Exception):
    """A request is refused; `refusal_response` builds the response for the API family of its path.

    Args:
        status: HTTP status.
        details: ``metadata.details`` of the envelope, or the error text of the other families.
        message: ``message`` of the envelope.
        error_type: ``type`` of the envelope: ``invalid`` was observed for 400 (reference 0.3).
        code: ``errorCode`` of lookup tables.
    """

    def __init__(
        self,
        status: int,
        details: str,
        *,
        message: str = UNSPECIFIED_ERROR,
        error_type: str = UNSPECIFIED,
        code: str | None = None,
    ) -> None:
        super().__init__(details)
        self.status = status
        self.details = details
        self.message = message
        self.error_type = error_type
        self.code = code


def refusal_response(
    path: str, refusal: RequestRefusedError, *, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return the error body of a path's API family (reference 0.3)."""
    if path.startswith("/data-"):
        return lookup_table_response(refusal.status, refusal.details, code=refusal.code, headers=headers)
    if "/api/" in path:
        return envelope_response(
            refusal.status,
            refusal.details,
            message=refusal.message,
            error_type=refusal.error_type,
            headers=headers,
        )
    return ingestion_response(refusal.status, {"error": refusal.details}, headers=headers)


def envelope_response(
    status: int,
    details: str,
    *,
    message: str = UNSPECIFIED_ERROR,
    error_type: str = UNSPECIFIED,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return the JSON envelope of the ``amplitude.com/api`` family.

    ``message`` is omitted for 403, as in the observed bodies (reference 0.3).
    """
    error: dict[str, object] = {"http_code": status, "type": error_type}
    if status != FORBIDDEN:
        error["message"] = message
    error["metadata"] = {"details": details}
    return web.Response(
        status=status,
        body=json.dumps({"error": error}).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def ingestion_response(
    status: int, body: Mapping[str, object], *, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a response of HTTP V2 or Batch: JSON that repeats the status as ``code``."""
    return web.Response(
        status=status,
        body=json.dumps({"code": status, **body}).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def lookup_table_response(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an error of the lookup tables' host; the keys are documented (0.3), null and ``{}`` inferred."""
    body = {"statusCode": status, "message": message, "errorCode": code, "extraParams": {}}
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def gateway_response(status: int, title: str) -> web.Response:
    """Return an HTML page like that of a gateway in front of Amplitude (reference 0.3, 5)."""
    return web.Response(status=status, text=GATEWAY_PAGE.format(title=title), content_type="text/html")
