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


def test_the_tree_in_the_docstring_names_every_class_with_its_parent() -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if line.strip().partition(" ")[2] and "Error" in line]
    names = [
        (word, line.index(word)) for line in drawn for word in line.replace("─", " ").split() if word.endswith("Error")
    ]

    depths = {kind.__name__: len(kind.__mro__) - len(AmplitudeError.__mro__) for kind in tree()}
    assert {name: (column - 4) // 4 for name, column in names} == depths


@pytest.mark.parametrize("kind", tree())
def test_every_error_says_in_one_line_what_it_means(kind: type[AmplitudeError]) -> None:
    first_line = (vars(kind).get("__doc__") or "").partition("\n")[0]

    assert first_line.endswith(".")


@pytest.mark.parametrize("kind", LEAVES)
def test_every_error_that_is_raised_has_a_next_step(kind: type[AmplitudeError]) -> None:
    assert kind.next_step.strip() == kind.next_step
    assert kind.next_step.endswith(".")


def test_every_class_of_the_module_is_in_the_tree() -> None:
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}

    assert classes == set(tree())


def test_a_message_says_what_then_what_was_tried_and_then_what_to_do() -> None:
    error = NetworkError("It broke.", tried="It was tried twice.")

    assert str(error) == "It broke. It was tried twice. Run the sync again; what is missing will be read then."
    assert (error.what, error.tried, error.advice) == (
        "It broke.",
        "It was tried twice.",
        "Run the sync again; what is missing will be read then.",
    )


def test_what_was_tried_can_be_said_later() -> None:
    error = ServerFailureError("It broke.", next_step="Wait.")

    error.tried = "It was tried twice."

    assert str(error) == "It broke. It was tried twice. Wait."


def test_parts_that_are_empty_leave_no_gap() -> None:
    assert str(NetworkError("It broke.", next_step="")) == "It broke."


def test_problems_of_a_configuration_are_counted_and_listed() -> None:
    one = InvalidConfigError(("a is missing",))
    two = InvalidConfigError(("a is missing", "b: 5 is too large"))

    assert one.what == "The configuration has one problem: a is missing."
    assert two.what == "The configuration has 2 problems: a is missing; b: 5 is too large."
    assert two.problems == ("a is missing", "b: 5 is too large")
    assert two.advice == "Correct these values and run the command again."


def test_a_rate_limit_carries_how_long_to_wait() -> None:
    assert RateLimitedError("Too many.").retry_after_seconds is None
    assert RateLimitedError("Too many.", retry_after_seconds=5).retry_after_seconds == 5


def test_missing_hours_do_not_heal_unless_it_is_said() -> None:
    assert HoursMissingError("Some.").may_heal is False
