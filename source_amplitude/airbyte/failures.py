"""Translate the connector's errors into Airbyte's exceptions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from source_amplitude.api import printable, redact
from source_amplitude.errors import AmplitudeError, ConfigError, HoursMissingError, RetryableError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.config import Keys


def to_traced(error: AmplitudeError, keys: Keys | None = None) -> AirbyteTracedException:
    """Return the Airbyte exception for ``error``: every form of ``keys`` is masked, control characters are escaped."""
    text = filter_secrets(error.message)
    if keys is not None:
        text = redact(text, keys)
    text = printable(text)
    return AirbyteTracedException(
        message=text,
        internal_message=f"{type(error).__name__}: {text}",
        failure_type=failure_type(error),
        exception=error,
    )


@contextmanager
def tracing(keys: Keys | None = None) -> Iterator[None]:
    """Raise each AmplitudeError as the exception of `to_traced`."""
    try:
        yield
    except AmplitudeError as error:
        raise to_traced(error, keys) from error


def failure_type(error: AmplitudeError) -> FailureType:
    """Return config_error if the user must act, transient_error if a retry may help, otherwise system_error."""
    if isinstance(error, ConfigError):
        return FailureType.config_error
    if isinstance(error, RetryableError | StoppedError) or (isinstance(error, HoursMissingError) and error.may_recover):
        return FailureType.transient_error
    return FailureType.system_error
