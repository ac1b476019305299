from __future__ import annotations

import pytest

from source_amplitude.config import Keys
from source_amplitude.errors import (
    AmplitudeError,
    HoursMissingError,
    InvalidConfigError,
    InvalidStateError,
    MalformedLinesError,
    NetworkError,
    OtherProjectError,
    RateLimitedError,
    UnexpectedResponseError,
)
from source_amplitude.spark.failures import UnexpectedFailureError, friendly_errors

KEYS = Keys("an-api-key", "a-secret-key")
ALL = [
    HoursMissingError("what"),
    InvalidConfigError(("start_date is missing",)),
    InvalidStateError("what"),
    MalformedLinesError("what"),
    NetworkError("what"),
    OtherProjectError("what"),
    RateLimitedError("what"),
    UnexpectedResponseError("what"),
]


def raised_from(error: Exception) -> Exception:
    with pytest.raises(Exception) as raised, friendly_errors(KEYS):  # noqa: PT011 - any error is passed on
        raise error
    return raised.value


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_advice_does_not_mention_syncs_commands_or_a_state(error: AmplitudeError) -> None:
    text = str(raised_from(error))

    assert [word for word in ("sync", "command", "--state", "the state") if word in text] == []
    assert raised_from(error) is error
    assert str(raised_from(error)) == text


def test_keys_are_masked_in_every_part_of_an_error() -> None:
    error = AmplitudeError("an-api-key", tried="A-SECRET-KEY", next_step="a-secret-key")

    assert str(raised_from(error)) == "**** **** ****"


def test_an_unexpected_error_is_replaced_only_if_it_has_a_key() -> None:
    harmless, leaking = KeyError("start"), KeyError("a-secret-key")

    assert raised_from(harmless) is harmless
    masked = raised_from(leaking)
    assert (type(masked), str(masked)) == (UnexpectedFailureError, "KeyError: '****'")
    assert masked.__cause__ is None
    assert masked.__suppress_context__
