"""Amplitude's documented rate limits: a request waits until its cost fits."""

from __future__ import annotations

import logging
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from pyrate_limiter import Rate, RateItem
from pyrate_limiter.buckets.in_memory_bucket import InMemoryBucket

from source_amplitude.api.rate_limits import RateLimitWaits
from source_amplitude.clock import sleep_unless
from source_amplitude.errors import StoppedError

if TYPE_CHECKING:
    import threading

    from source_amplitude.clock import Clock

_logger = logging.getLogger("airbyte")

_SECOND = 1000  # pyrate-limiter counts milliseconds
_WORTH_A_LINE_SECONDS = 10.0
_LATENCY_SECONDS = 1.0
"""Added to each wait: Amplitude counts requests when they arrive, and two may arrive closer than they were sent."""


class Quota(Enum):
    """Limits as (cost, milliseconds) pairs (documented; amplitude-api.md 2, 3.1, 5.1, 5.5).

    Streams are read one after the other, so that at most one request runs at a time (the limit is five).
    """

    DASHBOARD = ((1_000, 300 * _SECOND), (108_000, 3_600 * _SECOND))
    COHORT_DOWNLOAD = ((60, 600 * _SECOND), (4, 60 * _SECOND))
    TAXONOMY = ((7_200, 3_600 * _SECOND),)
    DELETIONS = ((1, 2 * _SECOND),)  # one a second is documented; see `_LATENCY_SECONDS`

    @property
    def most_at_once(self) -> int:
        """The highest cost that one request can have."""
        return min(int(cost) for cost, _ in self.value)


class Quotas:
    """The cost of all requests of a sync, shared by all streams.

    Args:
        waits: Reports the waits.
    """

    def __init__(self, clock: Clock, stop: threading.Event, waits: RateLimitWaits | None = None) -> None:
        self._clock = clock
        self._stop = stop
        self._waits = waits or RateLimitWaits()
        self._buckets = {quota: InMemoryBucket([Rate(*rate) for rate in quota.value]) for quota in Quota}

    def spend(self, quota: Quota, cost: int, what: str = "the next request") -> None:
        """Wait until ``cost`` (at most `Quota.most_at_once`) fits, then book it; raise StoppedError if stopped."""
        # Cohort downloads also count against the limit that cohorts and dashboards share.
        quotas = (Quota.DASHBOARD, quota) if quota is Quota.COHORT_DOWNLOAD else (quota,)
        to_book = list(quotas)
        while to_book:
            booked = to_book.pop(0)
            # A cost that was booked before a wait is older than the request, and is booked again.
            if self._book(booked, cost, what):
                to_book = [each for each in quotas if each is not booked]

    def _book(self, quota: Quota, cost: int, what: str) -> bool:
        """Wait until ``cost`` fits, book it, and return whether there was a wait."""
        bucket, has_waited = self._buckets[quota], False
        cost = min(cost, quota.most_at_once)
        while not bucket.put(item := RateItem(quota.name, self._now_millis(), weight=cost)):
            waiting = bucket.waiting(item)
            # Other buckets return a coroutine.
            seconds = _LATENCY_SECONDS + (waiting / _SECOND if isinstance(waiting, int) else 0)
            if seconds > _WORTH_A_LINE_SECONDS:
                _logger.info("Waiting %.0f s for Amplitude's rate limit before requesting %s.", seconds, what)
            with self._waits.during(seconds, self._clock.now() + timedelta(seconds=seconds)):
                if not sleep_unless(self._stop, self._clock, seconds):
                    raise StoppedError
            has_waited = True
        bucket.leak(self._now_millis())
        return has_waited

    def _now_millis(self) -> int:
        return int(self._clock.monotonic_seconds() * _SECOND)
