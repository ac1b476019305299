"""The emulator's clock: the only module here that reads the system time.

Publishing, upload times and the ``Date`` header use this clock, so that a test can let a day pass
between two requests.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone


class EmulatorClock:
    """A clock that runs or is stopped at an instant. Thread-safe.

    Without ``start`` it is the system's clock. With ``start`` it is stopped there, or runs from there at
    normal speed if ``running``.
    """

    def __init__(self, start: datetime | None = None, *, running: bool | None = None) -> None:
        self._lock = threading.Lock()
        self._base = require_utc(start) if start is not None else datetime.now(timezone.utc)
        stands_still = start is not None and not running
        self._running_since: float | None = None if stands_still else time.monotonic()
        self._skipped_seconds = 0.0

    def now(self) -> datetime:
        """Return the emulated time in UTC."""
        with self._lock:
            return self._read()

    def set(self, now: datetime, *, running: bool = False) -> None:
        """Jump to an instant, forwards or backwards, and stop there unless ``running``."""
        base = require_utc(now)
        with self._lock:
            self._note_jump(base - self._read())
            self._base = base
            self._running_since = time.monotonic() if running else None

    def advance(self, by: timedelta) -> datetime:
        """Advance by a timedelta and return the new time. A running clock keeps running."""
        with self._lock:
            self._note_jump(by)
            self._base += by
            return self._read()

    def elapsed_seconds(self) -> float:
        """Return a monotonic number of seconds, for rate limits and expiry.

        Real time counts even while the clock is stopped; otherwise a spent budget would never refill and a
        waiting client would never end. Jumps forward count too.
        """
        with self._lock:
            return time.monotonic() + self._skipped_seconds

    @property
    def is_running(self) -> bool:
        """Whether the clock runs."""
        with self._lock:
            return self._running_since is not None

    def _note_jump(self, by: timedelta) -> None:
        self._skipped_seconds += max(0.0, by.total_seconds())

    def _read(self) -> datetime:
        if self._running_since is None:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._running_since)


def require_utc(moment: datetime) -> datetime:
    """Return the same instant in UTC.

    Raises:
        ValueError: The datetime is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; pass an aware datetime.")
    return moment.astimezone(timezone.utc)


def parse_instant(text: str) -> datetime:
    """Parse an ISO 8601 instant such as ``2026-03-04T12:00:00Z``; without a zone it is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else require_utc(moment)


def format_instant(moment: datetime) -> str:
    """Format an instant as ISO 8601 with ``Z``; microseconds are omitted if zero."""
    return require_utc(moment).isoformat().replace("+00:00", "Z")
