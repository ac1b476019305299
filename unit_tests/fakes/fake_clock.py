"""A clock for tests: it changes only when set or advanced; `sleep` advances it immediately."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


class FakeClock:
    """Implements `source_amplitude.clock.Clock`.

    Attributes:
        sleeps: The seconds of all sleeps so far.
    """

    def __init__(self, now: datetime = datetime(2024, 3, 1, 12, tzinfo=timezone.utc)) -> None:
        self._now = now
        self._monotonic_seconds = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic_seconds(self) -> float:
        return self._monotonic_seconds

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic_seconds += seconds

    def set(self, now: datetime) -> None:
        """Set the time of day; the monotonic clock does not change."""
        self._now = now
