"""Whether Amplitude accepts the keys, and if not, whether the other region does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.errors import AmplitudeError, CredentialsRejectedError, RetryableError

if TYPE_CHECKING:
    from source_amplitude.api.client import AmplitudeClient


def prove_keys(client: AmplitudeClient, other_region: AmplitudeClient) -> None:
    """Return if ``client``'s region accepts the keys: one request, and one to the other region when they are refused.

    Raises:
        CredentialsRejectedError: Refused; the text says whether the other region accepts them.
        AmplitudeError: Any other answer, as what it is.
    """
    try:
        client.check_keys()
    except CredentialsRejectedError as refusal:
        other = other_region.region.value
        try:
            other_region.check_keys()
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


class KeysProof:
    """What the first request of a sync said about the keys; asked for once.

    Args:
        client: The configured region.
        other_region: The other one.

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
        """Return unless the keys are refused; an export that fails otherwise proves nothing and stops nobody.

        Raises:
            CredentialsRejectedError: The same each time.
        """
        if self._refusal is not None:
            raise self._refusal.with_traceback(None)  # or each stream's stack would be added to it
        if self._was_asked:
            return
        try:
            prove_keys(self._client, self._other_region)
        except CredentialsRejectedError as refusal:
            self._refusal = refusal
            raise
        except RetryableError:
            self._was_asked = True
        else:
            self._was_asked = self.holds = True
