"""Waits for rate limits: which ones are reported, and when they begin and end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from source_amplitude.api import RateLimitWaits, RetryBudget, RetryPolicy, retrying
from source_amplitude.errors import NetworkError, RateLimitedError
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.errors import RetryableError

Seen = list[tuple[bool, "datetime | None"]]


def watched() -> tuple[RateLimitWaits, Seen]:
    waits = RateLimitWaits()
    seen: Seen = []
    waits.on_change = lambda: seen.append((waits.is_waiting, waits.ends_at))
    return waits, seen


@pytest.mark.parametrize("retry_after_seconds", [20, None])
def test_an_end_is_given_only_if_it_is_known(retry_after_seconds: float | None) -> None:
    (waits, seen), clock = watched(), FakeClock()
    end = clock.now() + timedelta(seconds=20) if retry_after_seconds else None

    retry(RateLimitedError("Limited.", retry_after_seconds=retry_after_seconds), waits, clock)

    assert seen == [(True, end), (False, None)]


def test_other_waits_are_not_reported() -> None:
    (waits, seen), clock = watched(), FakeClock()

    retry(NetworkError("Lost."), waits, clock)

    assert clock.sleeps == [10]
    assert seen == []


def test_waits_that_overlap_are_one() -> None:
    (waits, seen), end = watched(), FakeClock().now()

    with waits.during(5.1, end):
        with waits.during(60, end + timedelta(seconds=60)):
            assert waits.ends_at == end + timedelta(seconds=60)
        with waits.during(60, None), waits.during(60, end):
            assert waits.ends_at == end + timedelta(seconds=60)

    assert seen == [(True, end), (False, None)]


def test_a_forgotten_wait_ends_without_a_report() -> None:
    waits, seen = watched()

    with waits.during(6, None):
        waits.forget()
        with waits.during(6, None):
            pass

    assert seen == [(True, None), (True, None), (False, None)]


def retry(error: RetryableError, waits: RateLimitWaits, clock: FakeClock) -> None:
    """Let an action fail once with ``error`` and wait at least 10 seconds."""
    errors = [error]

    def action() -> None:
        if errors:
            raise errors.pop()

    policy = RetryPolicy(first_wait_seconds=20, longest_wait_seconds=10)
    retrying(action, policy=policy, budget=RetryBudget(), clock=clock, waits=waits)
