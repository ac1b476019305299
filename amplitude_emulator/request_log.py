"""What was asked of the emulator, for tests that count requests."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NO_STATUS = 0


@dataclass(frozen=True)
class RequestSeen:
    """One request to an Amplitude path, noted before the first byte of its answer is sent.

    ``status`` is `NO_STATUS` where a fault kept back the whole answer. Keys and bodies are not kept.
    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    at: datetime


class RequestLog:
    """The requests seen so far, in order of their answers. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[RequestSeen] = []

    def add(self, seen: RequestSeen) -> None:
        """Note a request."""
        with self._lock:
            self._seen.append(seen)

    def snapshot(self) -> list[RequestSeen]:
        """Return a copy that later requests do not change."""
        with self._lock:
            return list(self._seen)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._seen.clear()
