"""The connector's errors in Airbyte's terms: text and failure type. Does not import the CDK."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from source_amplitude.api import printable, redact
from source_amplitude.errors import (
    AmplitudeError,
    ConfigError,
    ForeignResponseError,
    HoursMissingError,
    RetryableError,
    StoppedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_amplitude.config import Keys

FailureType = Literal["config_error", "transient_error", "system_error"]
"""The values of the protocol's FailureType."""


@dataclass(frozen=True)
class Failure:
    """An error as Airbyte shows it: keys are masked, control characters are escaped."""

    message: str
    internal_message: str
    failure_type: FailureType
    error: BaseException


def failure_of(error: AmplitudeError, mask: Callable[[str], str], keys: Keys | None = None) -> Failure:
    """Return ``error`` for Airbyte; ``mask`` and every form of ``keys`` apply to its text."""
    text = mask(error.message)
    if keys is not None:
        text = redact(text, keys)
    text = printable(text)
    return Failure(text, f"{type(error).__name__}: {text}", failure_type(error), error)


def check_failure(error: AmplitudeError, mask: Callable[[str], str], keys: Keys) -> Failure:
    """Return an error of ``check``; Airbyte's form shows a FAILED status only for a config_error."""
    failure = failure_of(error, mask, keys)
    return replace(failure, failure_type="config_error") if isinstance(error, ForeignResponseError) else failure


def failure_type(error: AmplitudeError) -> FailureType:
    """Return config_error if the user must act, transient_error if a retry may help, otherwise system_error."""
    if isinstance(error, ConfigError):
        return "config_error"
    if isinstance(error, RetryableError | StoppedError) or (isinstance(error, HoursMissingError) and error.may_recover):
        return "transient_error"
    return "system_error"
