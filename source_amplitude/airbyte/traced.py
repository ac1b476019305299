"""Translate the connector's errors into the CDK's exceptions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from source_amplitude.airbyte.failures import failure_of
from source_amplitude.errors import AmplitudeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.airbyte.failures import Failure
    from source_amplitude.config import Keys


def to_traced(error: AmplitudeError, keys: Keys | None = None) -> AirbyteTracedException:
    """Return the Airbyte exception for ``error``: every form of ``keys`` is masked, control characters are escaped."""
    return traced(failure_of(error, filter_secrets, keys))


def traced(failure: Failure) -> AirbyteTracedException:
    return AirbyteTracedException(
        message=failure.message,
        internal_message=failure.internal_message,
        failure_type=FailureType(failure.failure_type),
        exception=failure.error,
    )


@contextmanager
def tracing(keys: Keys | None = None) -> Iterator[None]:
    """Raise each AmplitudeError as the exception of `to_traced`."""
    try:
        yield
    except AmplitudeError as error:
        raise to_traced(error, keys) from error
