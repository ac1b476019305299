"""What was asked of the emulator, for tests that count requests."""

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
    """One request to an Amplitude path, noted before the first byte of its answer is sent.

    ``status`` is `NO_STATUS` where a fault kept back the whole answer; ``at_once`` is how many requests were being
    answered when it came in, itself included, up to the first byte of their bodies. Keys and bodies are not kept.
    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    at: datetime
    at_once: int = field(default=1, compare=False)


class RequestLog:
    """The requests seen so far, in order of their answers. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[RequestSeen] = []
        self._under_way = 0

    @contextmanager
    def under_way(self) -> Iterator[int]:
        """Count a request while it is answered, and yield how many there are with it."""
        with self._lock:
            self._under_way += 1
            at_once = self._under_way
        try:
            yield at_once
        finally:
            with self._lock:
                self._under_way -= 1

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
