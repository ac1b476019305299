"""Budgets and rate limits of a project (reference 2, 3.1, 5.1, 5.5), and their bookings."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplitude_emulator.errors import RequestRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from amplitude_emulator.clock import EmulatorClock

# Documented, reference 3.1: a project's cost per 5 minutes and per hour, and its concurrent requests.
COST_PER_5_MINUTES, COST_PER_HOUR, REQUESTS_AT_ONCE = 1_000, 108_000, 5
# Documented, reference 5.1: a read costs 1.
TAXONOMY_COST_AT_ONCE, TAXONOMY_COST_PER_HOUR = 4, 7_200
# Documented, reference 2. "4 parallel requests per minute" is taken as: unfinished requests of the last minute.
COHORT_REQUESTS_PER_10_MINUTES, COHORT_REQUESTS_IN_PARALLEL = 60, 4
DELETION_REQUESTS_PER_SECOND = 1  # documented, reference 5.5

MINUTE, HOUR = 60.0, 3_600.0
TOO_MANY_REQUESTS = 429
# Observed, reference 0.3. Which limit has which text is inferred from the documented names.
RATE_TEXT = "Too Many Requests: Exceeded rate limit with query of cost {cost}"
CONCURRENT_TEXT = "Too Many Requests: Exceeded concurrent limit with query of cost {cost}"


class RollingBudget:
    """A limited amount per sliding period."""

    def __init__(self, limit: int, period_seconds: float) -> None:
        self._limit = limit
        self._period_seconds = period_seconds
        self._spent: deque[tuple[float, int]] = deque()

    def spent(self, now: float) -> int:
        """Return the amount booked in the period that ends at ``now``, in monotonic seconds."""
        while self._spent and self._spent[0][0] <= now - self._period_seconds:
            self._spent.popleft()
        return sum(cost for _, cost in self._spent)

    def fits(self, now: float, cost: int) -> bool:
        """Whether a cost can be booked now. A cost above the limit never fits."""
        return self.spent(now) + cost <= self._limit

    def book(self, now: float, cost: int) -> None:
        """Book a cost."""
        self._spent.append((now, cost))


@dataclass(frozen=True)
class Booking:
    """The cost of one accepted request."""

    path: str
    cost: int
    at: datetime


class RequestCosts:
    """One project's limits. Refused requests are not booked. Thread-safe."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._at_once = self._taxonomy_at_once = 0
        self._refill()

    def begin(self, path: str, cost: int, *, is_enforced: bool) -> None:
        """Book a request's cost, and count it as concurrent until `end`.

        Raises:
            RequestRefusedError: The cost exceeds a budget (429).
        """
        with self._lock:
            now = self._clock.elapsed_seconds()
            if is_enforced:
                _refuse_unless(self._per_hour.fits(now, cost), RATE_TEXT.format(cost=cost))
                fits = self._per_5_minutes.fits(now, cost) and self._at_once < REQUESTS_AT_ONCE
                _refuse_unless(fits, CONCURRENT_TEXT.format(cost=cost))
            self._at_once += 1
            self._per_hour.book(now, cost)
            self._per_5_minutes.book(now, cost)
            self._bookings.append(Booking(path, cost, self._clock.now()))

    def end(self) -> None:
        """End a request."""
        with self._lock:
            self._at_once -= 1

    def begin_taxonomy(self, path: str, cost: int, *, is_enforced: bool) -> None:
        """Do the same for Taxonomy, which has its own limits."""
        with self._lock:
            now = self._clock.elapsed_seconds()
            if is_enforced:
                _refuse_unless(self._taxonomy_per_hour.fits(now, cost), RATE_TEXT.format(cost=cost))
                fits = self._taxonomy_at_once + cost <= TAXONOMY_COST_AT_ONCE
                _refuse_unless(fits, CONCURRENT_TEXT.format(cost=cost))
            self._taxonomy_at_once += cost
            self._taxonomy_per_hour.book(now, cost)
            self._bookings.append(Booking(path, cost, self._clock.now()))

    def end_taxonomy(self, cost: int) -> None:
        """End a request to Taxonomy."""
        with self._lock:
            self._taxonomy_at_once -= cost

    def book_cohort_request(self, unfinished: int, monthly_limit: int, *, is_enforced: bool) -> None:
        """Book step 1 of a cohort download; ``unfinished`` counts the unfinished downloads of the last minute."""
        with self._lock:
            now = self._clock.elapsed_seconds()
            if is_enforced:
                fits_month = self._months[self._month()] < monthly_limit
                _refuse_unless(fits_month, "Too Many Requests: Exceeded monthly limit of cohort downloads")
                _refuse_unless(self._cohort_requests.fits(now, 1), RATE_TEXT.format(cost=1))
                _refuse_unless(unfinished < COHORT_REQUESTS_IN_PARALLEL, CONCURRENT_TEXT.format(cost=1))
            self._months[self._month()] += 1
            self._cohort_requests.book(now, 1)

    def book_deletion_request(self, *, is_enforced: bool) -> None:
        """Book a request to the User Privacy API."""
        with self._lock:
            now = self._clock.elapsed_seconds()
            if is_enforced:
                _refuse_unless(self._deletion_requests.fits(now, 1), RATE_TEXT.format(cost=1))
            self._deletion_requests.book(now, 1)

    @property
    def bookings(self) -> list[Booking]:
        """Return a copy of all bookings on the budgets of Dashboard REST (3.1) and Taxonomy."""
        with self._lock:
            return list(self._bookings)

    def spent(self) -> dict[str, int]:
        """Return the amount that counts against each budget now."""
        with self._lock:
            now = self._clock.elapsed_seconds()
            return {
                "5_minutes": self._per_5_minutes.spent(now),
                "hour": self._per_hour.spent(now),
                "taxonomy_hour": self._taxonomy_per_hour.spent(now),
                "cohort_requests_10_minutes": self._cohort_requests.spent(now),
                "cohort_requests_month": self._months[self._month()],
            }

    def clear(self) -> None:
        """Refill all budgets and clear the bookings; requests in progress stay counted."""
        with self._lock:
            self._refill()

    def _refill(self) -> None:
        self._per_5_minutes = RollingBudget(COST_PER_5_MINUTES, 5 * MINUTE)
        self._per_hour = RollingBudget(COST_PER_HOUR, HOUR)
        self._taxonomy_per_hour = RollingBudget(TAXONOMY_COST_PER_HOUR, HOUR)
        self._cohort_requests = RollingBudget(COHORT_REQUESTS_PER_10_MINUTES, 10 * MINUTE)
        self._deletion_requests = RollingBudget(DELETION_REQUESTS_PER_SECOND, 1.0)
        self._months: Counter[str] = Counter()
        self._bookings: list[Booking] = []

    def _month(self) -> str:
        """Return the calendar month in UTC; when a quota's month begins is not known."""
        return f"{self._clock.now():%Y-%m}"


def _refuse_unless(fits: bool, details: str) -> None:  # noqa: FBT001 - the one condition that the name asks for
    if not fits:
        raise RequestRefusedError(TOO_MANY_REQUESTS, details)
