"""Airbyte's exceptions for our errors: failure type, complete message, masked keys."""

from __future__ import annotations

import pytest
from airbyte_cdk.models import FailureType

from source_amplitude.airbyte.failures import failure_type, to_traced
from source_amplitude.config import Keys
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    DiskFullError,
    ExportTooLargeError,
    HoursMissingError,
    MalformedLinesError,
    NetworkError,
)

RECOVERABLE = HoursMissingError("one window")
RECOVERABLE.may_recover = True


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CredentialsRejectedError("403"), FailureType.config_error),
        (NetworkError("reset"), FailureType.transient_error),
        (RECOVERABLE, FailureType.transient_error),
        (HoursMissingError("one window"), FailureType.system_error),
        (ExportTooLargeError("4 GB"), FailureType.system_error),
        (MalformedLinesError("one line"), FailureType.system_error),
        (DiskFullError("full"), FailureType.system_error),
    ],
)
def test_each_error_has_its_failure_type(error: AmplitudeError, expected: FailureType) -> None:
    assert failure_type(error) is expected


def test_the_message_is_complete_and_masks_the_keys() -> None:
    keys = Keys("my/api key", "my+secret")
    error = NetworkError("Broke at my%2Fapi%20key with MY+SECRET.")
    error.tried = "Tried twice."

    shown = to_traced(error, keys)

    assert shown.message == (
        "Broke at **** with ****. Tried twice. Run the sync again: it reads what is missing. "
        "Details: docs/errors.md#cannot-connect"
    )
    assert shown.internal_message == f"NetworkError: {shown.message}"
