from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.clock import has_left_calls, result_unless, sleep_unless
from source_amplitude.errors import StoppedError
from unit_tests.fakes.fake_clock import FakeClock


class StoppingClock(FakeClock):
    """Sets ``stop`` during one of its sleeps."""

    def __init__(self, stop: threading.Event, at_sleep: int) -> None:
        super().__init__()
        self._stop = stop
        self._at_sleep = at_sleep

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if len(self.sleeps) == self._at_sleep:
            self._stop.set()


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [(0, []), (-5, []), (0.25, [0.25]), (1, [1.0]), (2.5, [1.0, 1.0, 0.5])],
)
def test_sleep_is_split_into_steps_of_a_second(seconds: float, steps: list[float]) -> None:
    clock = FakeClock()

    assert sleep_unless(threading.Event(), clock, seconds)
    assert clock.sleeps == steps


@given(st.floats(0, 1000))
def test_steps_add_up_to_the_requested_time(seconds: float) -> None:
    clock = FakeClock()

    sleep_unless(threading.Event(), clock, seconds)

    assert sum(clock.sleeps) == pytest.approx(seconds)
    assert all(0 < step <= 1 for step in clock.sleeps)


def test_sleep_ends_after_the_step_in_which_stop_is_set() -> None:
    stop = threading.Event()
    clock = StoppingClock(stop, at_sleep=2)

    assert not sleep_unless(stop, clock, 60)
    assert clock.sleeps == [1.0, 1.0]


@pytest.mark.parametrize("seconds", [0, 60])
def test_sleep_returns_at_once_if_stop_is_set(seconds: float) -> None:
    stop, clock = threading.Event(), FakeClock()
    stop.set()

    assert not sleep_unless(stop, clock, seconds)
    assert clock.sleeps == []


def test_result_of_a_call_that_ends_is_returned() -> None:
    assert result_unless(threading.Event(), lambda: 7) == 7


def test_error_of_a_call_is_raised() -> None:
    def fail() -> None:
        raise ValueError("not a number")

    with pytest.raises(ValueError, match="not a number"):
        result_unless(threading.Event(), fail)


def test_call_that_waits_is_left_once_stopped() -> None:
    stop, answer = threading.Event(), threading.Event()

    def wait_for_an_answer() -> None:
        stop.set()
        answer.wait()

    with pytest.raises(StoppedError):
        result_unless(stop, wait_for_an_answer)

    assert has_left_calls()
    answer.set()


def test_call_may_end_after_the_stop() -> None:
    stop = threading.Event()
    stop.set()

    assert result_unless(stop, lambda: 7, seconds_to_end=3) == 7
