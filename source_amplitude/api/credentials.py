"""The check that Amplitude accepts the API keys, in this region or in the other one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from source_amplitude.api.endpoints import Request
from source_amplitude.errors import AmplitudeError, CredentialsRejectedError, ForeignResponseError, RetryableError

if TYPE_CHECKING:
    from source_amplitude.api.client import AmplitudeClient

_logger = logging.getLogger("airbyte")

_SECOND_OPINION = Request("/api/2/events/list", "a second API key check (list of events)")


def check_credentials(client: AmplitudeClient, other_region: AmplitudeClient) -> None:
    """Check the keys with one request, and with one to the other region if they are rejected.

    After a response that is not in Amplitude's format, a second request for the list of events decides. If Amplitude
    sends the list, a warning quotes the first response.

    Raises:
        CredentialsRejectedError: The region rejects the keys; the text says whether the other region accepts them.
        ForeignResponseError: The responses are not from Amplitude.
        AmplitudeError: Any other failure.
    """
    try:
        _check(client)
    except CredentialsRejectedError as rejection:
        other = other_region.region.value
        try:
            _check(other_region)
        except CredentialsRejectedError:
            tried = f"The {other} rejects them too."
        except AmplitudeError as unclear:
            tried = f"The {other} could not check them: {unclear.what}"
        else:
            raise CredentialsRejectedError(
                rejection.what,
                tried=f"The {other} accepts them.",
                next_step=f"Set data_region to '{other}'.",
            ) from rejection
        raise CredentialsRejectedError(rejection.what, tried=tried) from rejection


def _check(client: AmplitudeClient) -> None:
    """Raise the error of `AmplitudeClient.check_keys` if Amplitude does not accept the keys."""
    try:
        client.check_keys()
    except ForeignResponseError as odd:
        try:
            answer = client.fetch(_SECOND_OPINION).json(_SECOND_OPINION.what)
        except CredentialsRejectedError:
            raise
        except AmplitudeError:
            raise odd from None
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
            raise
        _logger.warning("%s Amplitude sent the list of events, so the keys are accepted.", odd.what)


class CredentialCheck:
    """The API key check at the start of a sync; sends its request once.

    Attributes:
        has_passed: Whether the keys were accepted. A later 401 or 403 is then about the requested API.
    """

    def __init__(self, client: AmplitudeClient, other_region: AmplitudeClient) -> None:
        self._client = client
        self._other_region = other_region
        self._is_done = False
        self._rejection: CredentialsRejectedError | None = None
        self.has_passed = False

    def require(self) -> None:
        """Raise the same CredentialsRejectedError each time if the keys are rejected; ignore failures that may pass."""
        if self._rejection is not None:
            raise self._rejection.with_traceback(None)  # else each stream would add its stack
        if self._is_done:
            return
        try:
            check_credentials(self._client, self._other_region)
        except CredentialsRejectedError as rejection:
            self._rejection = rejection
            raise
        except RetryableError:
            self._is_done = True
        else:
            self._is_done = self.has_passed = True
