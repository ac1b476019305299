"""The ledger built from manifests."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone

from source_amplitude.landing.inventory import Inventory, ledger_of
from source_amplitude.landing.manifest import HourState, Manifest
from source_amplitude.ledger import Ledger
from source_amplitude.windows import HOUR, HourSet, hour_window

FIRST = datetime(2026, 3, 1, tzinfo=timezone.utc)
DELAY_HOURS = 3


def test_open_hours_become_empty_by_their_own_request_times() -> None:
    ages_hours = itertools.cycle((4, 26, 27, 28, 90))
    windows = [hour_window(FIRST + HOUR * number) for number in range(40)]
    found = {
        window.start: Manifest(window, HourState.OPEN, window.start + HOUR * next(ages_hours))
        if number % 2
        else Manifest(window, HourState.DONE, window.start + HOUR * 30, "raw", "100200")
        for number, window in enumerate(windows)
    }
    expected = Ledger(project="100200")
    for hour, manifest in found.items():
        if manifest.state is HourState.DONE:
            expected.mark_done(hour, {}, asked_at=manifest.asked_at)
        else:
            expected.mark_empty_response(
                HourSet((manifest.window,)), asked_at=manifest.asked_at, conclusive_after_hours=24 + DELAY_HOURS
            )

    ledger = ledger_of(Inventory(tuple(found), found, {}), None, conclusive_after_hours=24 + DELAY_HOURS)

    assert ledger == expected
    assert len(ledger.open) == 9
