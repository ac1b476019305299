"""The object storage of large cohort files, on another host name (reference 2.5)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.derived_ids import derive_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amplitude_emulator.clock import EmulatorClock

STORAGE_PREFIX = "/_storage/"
LINK_LIFE_SECONDS = 60.0  # documented: one minute, reference 2.5
# The XML form of S3's errors; that a second authentication is refused is inferred by the reference (2.5).
ERROR_PAGE = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'


@dataclass(frozen=True)
class StoredObject:
    """The file of one link; ``expires_at`` is in elapsed seconds of the clock."""

    data: bytes
    expires_at: float
    headers: Mapping[str, str] = field(default_factory=dict)


class Storage:
    """Files with links that expire after a minute. Thread-safe."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._objects: dict[str, StoredObject] = {}

    def link(self, request: web.Request, data: bytes, headers: Mapping[str, str]) -> str:
        """Store a file and return its URL, with another host name than the request's."""
        with self._lock:
            key = derive_text("storage", len(self._objects))
            expires_at = self._clock.elapsed_seconds() + LINK_LIFE_SECONDS
            self._objects[key] = StoredObject(data, expires_at, headers)
        # Clients drop the Authorization header when the host changes; localhost and 127.0.0.1 count as two hosts.
        host = "127.0.0.1" if request.url.host == "localhost" else "localhost"
        query = {"X-Amz-Expires": f"{LINK_LIFE_SECONDS:.0f}", "X-Amz-Signature": key[::-1]}
        return str(request.url.with_host(host).with_path(f"{STORAGE_PREFIX}{key}").with_query(query))

    async def fetch(self, request: web.Request) -> web.Response:
        """Return a file: 400 for a request with an Authorization header, 403 for an expired link."""
        if "Authorization" in request.headers:
            return _error(400, "InvalidArgument", "Only one auth mechanism allowed")
        with self._lock:
            stored = self._objects.get(request.match_info["key"])
        if stored is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        if self._clock.elapsed_seconds() >= stored.expires_at:
            return _error(403, "AccessDenied", "Request has expired")
        return web.Response(body=stored.data, headers={"Content-Type": "binary/octet-stream", **stored.headers})

    def clear(self) -> None:
        """Remove all files."""
        with self._lock:
            self._objects.clear()


def _error(status: int, code: str, message: str) -> web.Response:
    text = ERROR_PAGE.format(code=code, message=message)
    return web.Response(status=status, text=text, content_type="application/xml")
