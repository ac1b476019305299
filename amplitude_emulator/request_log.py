"""The log of requests, for tests that count them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

NO_STATUS = 0


@dataclass(frozen=True)
class RequestSeen:
    """One request to an Amplitude path, logged before the first byte of its response.

    ``status`` is `NO_STATUS` if a fault suppressed the whole response. ``at_once`` is the number of concurrent requests
    when it arrived, including itself; a request counts until the first byte of its response body. Keys and bodies are
    not logged.
    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    at: datetime
    at_once: int = field(default=1, compare=False)


class RequestLog:
    """The requests so far, in the order of their responses. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[RequestSeen] = []
        self._under_way = 0

    @contextmanager
    def under_way(self) -> Iterator[int]:
        """Count a request during the block, and yield the number of concurrent requests including it."""
        with self._lock:
            self._under_way += 1
            at_once = self._under_way
        try:
            yield at_once
        finally:
            with self._lock:
                self._under_way -= 1

    def add(self, seen: RequestSeen) -> None:
        with self._lock:
            self._seen.append(seen)

    def snapshot(self) -> list[RequestSeen]:
        """Return a copy."""
        with self._lock:
            return list(self._seen)

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._seen.clear()
