"""Whether Amplitude accepts the keys, and if not, whether the other region does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from source_amplitude.api.endpoints import Request
from source_amplitude.errors import AmplitudeError, CredentialsRejectedError, ForeignResponseError, RetryableError

if TYPE_CHECKING:
    from source_amplitude.api.client import AmplitudeClient

_logger = logging.getLogger("airbyte")

_SECOND_OPINION = Request("/api/2/events/list", "a second test of the keys (list of events)")


def check_credentials(client: AmplitudeClient, other_region: AmplitudeClient) -> None:
    """Return if ``client``'s region accepts the keys: one request, and one to the other region when they are refused.

    An answer in no form of Amplitude's is decided by a second request, to the list of events; if that one shows that
    Amplitude answers, the odd answer is quoted in a warning.

    Raises:
        CredentialsRejectedError: Refused; the text says whether the other region accepts them.
        ForeignAnswerError: What answers is not Amplitude.
        AmplitudeError: Any other answer, as what it is.
    """
    try:
        _check(client)
    except CredentialsRejectedError as refusal:
        other = other_region.region.value
        try:
            _check(other_region)
        except CredentialsRejectedError:
            tried = f"The {other} was asked too and refused them as well."
        except AmplitudeError as unclear:
            tried = f"The {other} was asked too, without a clear answer: {unclear.what}"
        else:
            raise CredentialsRejectedError(
                refusal.what,
                tried=f"The {other} was asked too and accepts them.",
                next_step=f"Set data_region to '{other}'.",
            ) from refusal
        raise CredentialsRejectedError(refusal.what, tried=tried) from refusal


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
        _logger.warning("%s Amplitude's list of events came all the same, so the keys count as accepted.", odd.what)


class CredentialCheck:
    """What the first request of a sync said about the keys; asked for once.

    Attributes:
        holds: Whether the keys were accepted: a refusal is about what was asked for then.
    """

    def __init__(self, client: AmplitudeClient, other_region: AmplitudeClient) -> None:
        self._client = client
        self._other_region = other_region
        self._was_asked = False
        self._refusal: CredentialsRejectedError | None = None
        self.holds = False

    def require(self) -> None:
        """Raise the same CredentialsRejectedError each time if the keys are refused; other failures prove nothing."""
        if self._refusal is not None:
            raise self._refusal.with_traceback(None)  # or each stream's stack would be added to it
        if self._was_asked:
            return
        try:
            check_credentials(self._client, self._other_region)
        except CredentialsRejectedError as refusal:
            self._refusal = refusal
            raise
        except RetryableError:
            self._was_asked = True
        else:
            self._was_asked = self.holds = True
