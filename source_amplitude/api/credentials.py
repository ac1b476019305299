"""Whether Amplitude accepts the keys, and if not, whether the other region does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.errors import AmplitudeError, CredentialsRejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_amplitude.api.client import AmplitudeClient
    from source_amplitude.config import Region


def prove_keys(client_for: Callable[[Region], AmplitudeClient], region: Region) -> None:
    """Return if ``region`` accepts the keys: one request, and one more to the other region when they are refused.

    Raises:
        CredentialsRejectedError: Refused; the text says whether the other region accepts them.
        AmplitudeError: Any other answer, as what it is.
    """
    try:
        client_for(region).check_keys()
    except CredentialsRejectedError as refusal:
        other = region.other
        try:
            client_for(other).check_keys()
        except CredentialsRejectedError:
            tried = f"The {other.value} was asked too and refused them as well."
        except AmplitudeError as unclear:
            tried = f"The {other.value} was asked too, without a clear answer: {unclear.what}"
        else:
            raise CredentialsRejectedError(
                refusal.what,
                tried=f"The {other.value} was asked too and accepts them.",
                next_step=f"Set data_region to '{other.value}'.",
            ) from refusal
        raise CredentialsRejectedError(refusal.what, tried=tried) from refusal
