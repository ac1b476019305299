from __future__ import annotations

import pytest

from source_amplitude import errors
from source_amplitude.errors import (
    AmplitudeError,
    HoursMissingError,
    InvalidConfigError,
    NetworkError,
    RateLimitedError,
    ServerFailureError,
)


def tree(kind: type[AmplitudeError] = AmplitudeError) -> list[type[AmplitudeError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]


LEAVES = [kind for kind in tree() if not kind.__subclasses__()]


def test_docstring_tree_contains_every_class() -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if line.strip().partition(" ")[2] and "Error" in line]
    names = [
        (word, line.index(word)) for line in drawn for word in line.replace("─", " ").split() if word.endswith("Error")
    ]

    depths = {kind.__name__: len(kind.__mro__) - len(AmplitudeError.__mro__) for kind in tree()}
    assert {name: (column - 4) // 4 for name, column in names} == depths


@pytest.mark.parametrize("kind", tree())
def test_every_error_has_a_one_line_docstring(kind: type[AmplitudeError]) -> None:
    first_line = (vars(kind).get("__doc__") or "").partition("\n")[0]

    assert first_line.endswith(".")


@pytest.mark.parametrize("kind", LEAVES)
def test_every_concrete_error_has_a_next_step_and_an_anchor(kind: type[AmplitudeError]) -> None:
    assert kind.next_step.strip() == kind.next_step
    assert kind.next_step.endswith(".")
    assert kind.help_anchor


def test_every_class_of_the_module_is_in_the_tree() -> None:
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}

    assert classes == set(tree())


def test_message_parts_are_in_order() -> None:
    error = NetworkError("It broke.", tried="Tried twice.")

    assert str(error) == "It broke. Tried twice. Run the sync again: it reads what is missing."
    assert (error.what, error.tried, error.advice) == (
        "It broke.",
        "Tried twice.",
        "Run the sync again: it reads what is missing.",
    )


def test_tried_can_be_set_later() -> None:
    error = ServerFailureError("It broke.", next_step="Wait.")

    error.tried = "Tried twice."

    assert str(error) == "It broke. Tried twice. Wait."


def test_empty_parts_are_left_out() -> None:
    assert str(NetworkError("It broke.", next_step="")) == "It broke."


def test_configuration_problems_are_counted_and_listed() -> None:
    one = InvalidConfigError(("a is missing",))
    two = InvalidConfigError(("a is missing", "b: 5 is too large"))

    assert one.what == "The configuration has 1 problem: a is missing."
    assert two.what == "The configuration has 2 problems: a is missing; b: 5 is too large."
    assert two.problems == ("a is missing", "b: 5 is too large")
    assert two.advice == "Correct these values and run the command again."


def test_rate_limit_carries_retry_after() -> None:
    assert RateLimitedError("Too many.").retry_after_seconds is None
    assert RateLimitedError("Too many.", retry_after_seconds=5).retry_after_seconds == 5


def test_missing_hours_do_not_recover_by_default() -> None:
    assert HoursMissingError("Some.").may_recover is False
