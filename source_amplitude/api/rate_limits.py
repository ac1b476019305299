"""The waits for rate limits and quotas that are under way."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_LONGEST_UNREPORTED_SECONDS = 5.0


def ignore_change() -> None:
    """Do nothing."""


class RateLimitWaits:
    """The waits of more than 5 seconds for a rate limit or quota. Thread-safe.

    Attributes:
        on_change: Called when the first wait begins and when the last one ends. Calls never overlap.
        has_news: Set by the callback if a host should get control soon; a reader that waits for a download then
            returns.
        is_waiting: Whether there is a wait.
        ends_at: The latest known end of the current waits; None if none is known.
    """

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = ignore_change
        self.has_news = threading.Event()
        self.is_waiting = False
        self.ends_at: datetime | None = None
        self._waits: set[object] = set()
        self._lock = threading.Lock()

    @contextmanager
    def during(self, seconds: float, ends_at: datetime | None) -> Iterator[None]:
        """Report a wait of ``seconds`` while the block runs; a wait of at most 5 seconds is not reported.

        Args:
            ends_at: When the limit resets; None if unknown.
        """
        if seconds <= _LONGEST_UNREPORTED_SECONDS:
            yield
            return
        wait = object()
        with self._lock:
            self._waits.add(wait)
            if not self.is_waiting:
                self.is_waiting, self.ends_at = True, ends_at
                self.on_change()
            elif ends_at is not None:
                self.ends_at = max(ends_at, self.ends_at or ends_at)
        try:
            yield
        finally:
            with self._lock:
                if wait in self._waits:
                    self._waits.remove(wait)
                    self._end_if_over()

    def forget(self) -> None:
        """End all waits without a report: a stream ended, and its threads may still wait."""
        with self._lock:
            self._waits.clear()
            self.is_waiting, self.ends_at = False, None

    def _end_if_over(self) -> None:
        if not self._waits:
            self.is_waiting, self.ends_at = False, None
            self.on_change()
