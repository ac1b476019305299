"""What time it is, by the safer of two clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.api.client import AmplitudeClient
    from source_amplitude.clock import Clock


def present(clock: Clock, client: AmplitudeClient) -> datetime:
    """Return the earlier of our clock and Amplitude's latest answer, so that a fast clock of ours loses nothing."""
    ours, theirs = clock.now(), client.server_date
    return ours if theirs is None else min(ours, theirs)
