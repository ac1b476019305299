from __future__ import annotations

import logging
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.api.quotas import Quota, Quotas
from source_amplitude.errors import StoppedError
from unit_tests.fakes.fake_clock import FakeClock

LIMITS = {  # documented: cost within seconds
    Quota.DASHBOARD: ((1_000, 300), (108_000, 3_600)),
    Quota.COHORT_DOWNLOAD: ((60, 600), (4, 60)),
    Quota.TAXONOMY: ((7_200, 3_600),),
    Quota.DELETIONS: ((1, 2),),
}
A_MICROSECOND = 1e-6  # floats of seconds are not exact
A_NAP_SECONDS = 1.05  # with the second for requests that take longer on their way
"""What a wait may be too long, since the limiter counts milliseconds and tries again after ten."""

REQUESTS = st.lists(
    st.tuples(
        st.floats(0, 700) | st.sampled_from([0.0, 0.0, 0.0004, 0.9996, 1.0, 60.0, 300.0]),
        st.sampled_from(Quota),
        st.integers(1, 500) | st.sampled_from([1, 4, 450, 999, 1000, 5000]),
    ),
    max_size=25,
)


class Spending:
    """Spends and notes when which cost was booked."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stop = threading.Event()
        self._quotas = Quotas(self.clock, self.stop)
        self.booked: dict[Quota, list[tuple[float, int]]] = {quota: [] for quota in Quota}

    def spend(self, quota: Quota, cost: int) -> float:
        """Spend and return how long that took."""
        began = self.clock.monotonic_seconds()
        self._quotas.spend(quota, cost)
        now = self.clock.monotonic_seconds()
        self.booked[quota].append((now, min(cost, quota.most_at_once)))
        if quota is Quota.COHORT_DOWNLOAD:
            self.booked[Quota.DASHBOARD].append((now, min(cost, Quota.DASHBOARD.most_at_once)))
        return now - began

    def spent(self, quota: Quota, until: float, seconds: float) -> int:
        """Return the cost booked in a window, its end included and its beginning not."""
        return sum(cost for at, cost in self.booked[quota] if until - seconds < at <= until)

    def fits_at(self, quota: Quota, cost: int) -> float:
        """Return the earliest moment from now on at which ``cost`` exceeds no limit."""
        now = self.clock.monotonic_seconds()
        frees = [at + seconds + A_MICROSECOND for _, seconds in LIMITS[quota] for at, _ in self.booked[quota]]
        return min(
            moment
            for moment in (now, *frees)
            if moment >= now
            and all(self.spent(quota, moment, seconds) + cost <= limit for limit, seconds in LIMITS[quota])
        )


def test_the_limits_are_those_amplitude_documents() -> None:
    assert {quota: tuple((cost, millis / 1000) for cost, millis in quota.value) for quota in Quota} == LIMITS
    assert {quota: quota.most_at_once for quota in Quota} == {
        Quota.DASHBOARD: 1_000,
        Quota.COHORT_DOWNLOAD: 4,
        Quota.TAXONOMY: 7_200,
        Quota.DELETIONS: 1,
    }


@given(REQUESTS)
@settings(deadline=None)
def test_no_window_ever_holds_more_than_its_limit(requests: list[tuple[float, Quota, int]]) -> None:
    spending = Spending()
    for pause, quota, cost in requests:
        spending.clock.advance(pause)
        spending.spend(quota, cost)

    too_much = [
        (quota, at, seconds)
        for quota in Quota
        for limit, seconds in LIMITS[quota]
        for at, _ in spending.booked[quota]
        if spending.spent(quota, at, seconds) > limit
    ]
    assert too_much == []


@given(REQUESTS, st.sampled_from([quota for quota in Quota if quota is not Quota.COHORT_DOWNLOAD]))
@settings(deadline=None)
def test_a_wait_is_no_longer_than_the_limit_asks_for(requests: list[tuple[float, Quota, int]], only: Quota) -> None:
    spending = Spending()
    for pause, _, cost in requests:
        spending.clock.advance(pause)
        needed = spending.fits_at(only, min(cost, only.most_at_once)) - spending.clock.monotonic_seconds()

        waited = spending.spend(only, cost)

        assert needed <= waited + A_MICROSECOND
        assert waited <= needed + A_NAP_SECONDS


def test_what_fits_does_not_wait() -> None:
    spending = Spending()

    waits = [spending.spend(Quota.DASHBOARD, cost) for cost in (450, 450, 100)]

    assert waits == [0, 0, 0]
    assert spending.clock.sleeps == []


def test_query_after_a_full_budget_waits_five_minutes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    spending = Spending()
    spending.spend(Quota.DASHBOARD, 1_000)
    spending.clock.advance(100)

    assert spending.spend(Quota.DASHBOARD, 1) == pytest.approx(200, abs=A_NAP_SECONDS)
    assert [record.getMessage() for record in caplog.records] == [
        "Waiting 201 s for Amplitude's rate limit before requesting the next request."
    ]


def test_a_fifth_download_of_a_minute_waits_for_the_next_minute() -> None:
    spending = Spending()

    waits = [spending.spend(Quota.COHORT_DOWNLOAD, 1) for _ in range(5)]

    assert waits == [0, 0, 0, 0, pytest.approx(60, abs=A_NAP_SECONDS)]


def test_cohort_downloads_count_against_the_dashboard_budget() -> None:
    spending = Spending()
    spending.spend(Quota.DASHBOARD, 1_000)

    assert spending.spend(Quota.COHORT_DOWNLOAD, 1) == pytest.approx(300, abs=A_NAP_SECONDS)


def test_quotas_do_not_wait_for_each_other() -> None:
    spending = Spending()
    spending.spend(Quota.DASHBOARD, 1_000)

    assert [spending.spend(quota, 1) for quota in (Quota.TAXONOMY, Quota.DELETIONS)] == [0, 0]


def test_a_cost_beyond_the_limit_takes_all_of_it() -> None:
    spending = Spending()

    waits = [spending.spend(Quota.DASHBOARD, cost) for cost in (1_000_000, 5_000, 1)]

    assert waits == [0, pytest.approx(300, abs=A_NAP_SECONDS), pytest.approx(300, abs=A_NAP_SECONDS)]


def test_a_short_wait_is_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    spending = Spending()

    waits = [spending.spend(Quota.DELETIONS, 1) for _ in range(2)]

    assert waits == [0, pytest.approx(2, abs=A_NAP_SECONDS)]
    assert caplog.records == []


def test_stopped_wait_books_nothing() -> None:
    spending = Spending()
    spending.spend(Quota.DASHBOARD, 1_000)
    spending.stop.set()

    with pytest.raises(StoppedError) as caught:
        spending.spend(Quota.DASHBOARD, 1_000)

    assert caught.value.what == "Stopped."
    assert spending.clock.sleeps == []
    spending.stop.clear()
    assert spending.spend(Quota.DASHBOARD, 1_000) == pytest.approx(300, abs=A_NAP_SECONDS)
