"""Whether Amplitude accepts the keys, and if not, whether the other region does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.errors import AmplitudeError, CredentialsRejectedError

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
