from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.api.retry import RetryBudget, RetryPolicy, retrying
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    NetworkError,
    RateLimitedError,
    RetryableError,
    ServerFailureError,
)
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable


class Failing:
    """Raises its errors one after another, then returns how often it was called."""

    def __init__(self, *errors: AmplitudeError, clock: FakeClock | None = None, seconds: float = 0) -> None:
        self._errors = list(errors)
        self._clock = clock
        self._seconds = seconds
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self._clock:
            self._clock.advance(self._seconds)
        if self._errors:
            raise self._errors.pop(0)
        return self.calls


def broken(count: int = 100) -> list[NetworkError]:
    return [NetworkError(f"It broke for the {number + 1}. time.") for number in range(count)]


def run(
    action: Callable[[], int],
    *,
    clock: FakeClock | None = None,
    policy: RetryPolicy | None = None,
    budget: RetryBudget | None = None,
    reported: list[tuple[RetryableError, float]] | None = None,
) -> int:
    return retrying(
        action,
        policy=policy or RetryPolicy(),
        budget=budget or RetryBudget(),
        clock=clock or FakeClock(),
        on_retry=lambda error, seconds: None if reported is None else reported.append((error, seconds)),
    )


def test_an_action_that_works_is_called_once_without_any_wait() -> None:
    clock, action = FakeClock(), Failing()

    assert run(action, clock=clock) == 1
    assert clock.sleeps == []


def test_action_is_retried_and_each_wait_is_reported() -> None:
    clock, errors = FakeClock(), broken(3)
    reported: list[tuple[RetryableError, float]] = []

    calls = run(Failing(*errors), clock=clock, reported=reported)

    assert calls == 4
    assert reported == list(zip(errors, clock.sleeps, strict=True))
    assert [error.tried for error in errors] == ["", "", ""]


def test_permanent_errors_are_raised_at_once() -> None:
    clock, error = FakeClock(), CredentialsRejectedError("No.")
    action = Failing(NetworkError("It broke."), error)

    with pytest.raises(CredentialsRejectedError) as caught:
        run(action, clock=clock)

    assert caught.value is error
    assert (action.calls, len(clock.sleeps), error.tried) == (2, 1, "")


def test_an_exception_that_is_none_of_ours_is_raised_at_once() -> None:
    clock = FakeClock()

    def action() -> int:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        run(action, clock=clock)

    assert clock.sleeps == []


@pytest.mark.parametrize("attempts", [1, 2, 3, 8])
def test_after_its_attempts_the_last_error_is_raised(attempts: int) -> None:
    clock, errors = FakeClock(), broken()
    action = Failing(*errors)

    with pytest.raises(NetworkError) as caught:
        run(action, clock=clock, policy=RetryPolicy(attempts=attempts))

    assert caught.value is errors[attempts - 1]
    assert (action.calls, len(clock.sleeps)) == (attempts, attempts - 1)


def test_the_error_says_how_often_and_how_long_it_was_tried() -> None:
    clock = FakeClock()

    with pytest.raises(NetworkError) as caught:
        run(Failing(*broken(), clock=clock, seconds=100), clock=clock, policy=RetryPolicy(attempts=3))

    assert caught.value.tried == f"Tried 3 times in {300 + sum(clock.sleeps):.0f} s."
    assert str(caught.value).startswith("It broke for the 3. time. Tried 3 times in 30")


def test_one_attempt_is_nothing_to_talk_about() -> None:
    with pytest.raises(NetworkError) as caught:
        run(Failing(*broken()), policy=RetryPolicy(attempts=1))

    assert caught.value.tried == ""


@given(st.integers(2, 12), st.sampled_from([0.5, 1, 4]), st.sampled_from([2, 60]))
@settings(deadline=None, max_examples=50)
def test_waits_double_with_jitter_between_their_bounds(attempts: int, first: float, longest: float) -> None:
    clock = FakeClock()
    policy = RetryPolicy(attempts=attempts, first_wait_seconds=first, longest_wait_seconds=longest)

    with pytest.raises(NetworkError):
        run(Failing(*broken()), clock=clock, policy=policy, budget=RetryBudget(1e9))

    bounds = [(min(first / 2, longest), min(first * (2**n + 0.5), longest)) for n in range(attempts - 1)]
    assert len(clock.sleeps) == attempts - 1
    assert [wait for wait, (low, high) in zip(clock.sleeps, bounds, strict=True) if not low <= wait <= high] == []


@pytest.mark.parametrize(("retry_after", "wait"), [(30.0, 30.0), (59.5, 59.5), (60.0, 60.0), (899.0, 899.0)])
def test_longer_retry_after_takes_precedence(retry_after: float, wait: float) -> None:
    clock = FakeClock()

    run(Failing(RateLimitedError("Too many.", retry_after_seconds=retry_after)), clock=clock)

    assert clock.sleeps == [wait]


@pytest.mark.parametrize("retry_after", [None, 0.0, 0.1])
def test_a_short_retry_after_does_not_shorten_the_wait(retry_after: float | None) -> None:
    clock = FakeClock()

    run(Failing(RateLimitedError("Too many.", retry_after_seconds=retry_after)), clock=clock)

    assert 0.5 <= clock.sleeps[0] <= 1.5


def test_no_attempt_begins_later_than_the_total_allows() -> None:
    clock = FakeClock()
    action = Failing(*broken(), clock=clock, seconds=400)

    with pytest.raises(NetworkError) as caught:
        run(action, clock=clock, policy=RetryPolicy(total_seconds=900))

    assert action.calls == 3
    assert caught.value.tried.startswith("Tried 3 times in 120")


def test_a_wait_that_would_end_after_the_total_is_not_begun() -> None:
    clock = FakeClock()
    error = RateLimitedError("Too many.", retry_after_seconds=901)

    with pytest.raises(RateLimitedError):
        run(Failing(error), clock=clock)

    assert (clock.sleeps, error.tried) == ([], "")


def test_waits_spend_the_budget_and_a_spent_one_ends_retries() -> None:
    clock, budget = FakeClock(), RetryBudget(45)
    limited = [RateLimitedError("Too many.", retry_after_seconds=20) for _ in range(9)]
    first, second = Failing(*limited[:2]), Failing(*limited[2:])

    run(first, clock=clock, budget=budget)
    with pytest.raises(RateLimitedError):
        run(second, clock=clock, budget=budget)

    assert clock.sleeps == [20, 20, 20]
    assert (first.calls, second.calls, budget.is_spent) == (3, 2, True)


def test_spent_budget_allows_the_first_attempt() -> None:
    budget = RetryBudget(0)

    assert run(Failing(), budget=budget) == 1
    with pytest.raises(ServerFailureError):
        run(Failing(ServerFailureError("Down.")), budget=budget)


def test_a_budget_is_spent_when_nothing_is_left() -> None:
    budget = RetryBudget(10)
    spent = [budget.is_spent]

    for _ in range(2):
        budget.spend(5)
        spent.append(budget.is_spent)

    assert spent == [False, False, True]


def test_the_bounds_by_default_are_those_of_the_design() -> None:
    policy = RetryPolicy()

    assert policy == RetryPolicy(attempts=8, first_wait_seconds=1, longest_wait_seconds=60, total_seconds=900)
