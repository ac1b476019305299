"""The ledger of hours: which hours were read to their last byte, which are still open. Pure: no clock, no I/O."""

from source_amplitude.ledger.hours import LandedHour, Ledger, came_of_age, ripe_at, ripe_end
from source_amplitude.ledger.saved import CURSOR_FIELD, SavedState, ledger_from_state, state_from_ledger

__all__ = [
    "CURSOR_FIELD",
    "LandedHour",
    "Ledger",
    "SavedState",
    "came_of_age",
    "ledger_from_state",
    "ripe_at",
    "ripe_end",
    "state_from_ledger",
]
