"""What the driver of a streaming query finds out about hours, by `glances` at archives or by `looks` into them.

Both change a ledger as ``read`` does. Executors cannot: nothing of what a task finds comes back to the driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from source_amplitude.windows import HourSet, take_window

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.ledger import Ledger
    from source_amplitude.windows import HourWindow


class Settling(Protocol):
    """Finds out about hours."""

    def settle(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        """Record in ``ledger`` which hours are settled and which are open.

        Returns hours that files were seen for and whose files the ledger does not remember.

        Args:
            ledger: Changed.
            span: Published hours.
            fresh: Hours of the span that were never asked for, and are to be now.
            most: So many hours that were open are settled with files at most; None for all.

        Raises:
            AmplitudeError: The ledger is of no use then.
        """
        ...


def first_hours(hours: HourSet, most: int | None) -> HourSet:
    """Return the first ``most`` hours; whole days where Amplitude has day files, and all of them for None."""
    left, windows = most, []
    for window in hours.windows:
        if left is not None and left <= 0:
            break
        windows.append(window if left is None else take_window(window, left))
        left = None if left is None else left - windows[-1].hours
    return HourSet(tuple(windows))
