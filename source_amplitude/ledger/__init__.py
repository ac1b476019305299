"""The ledger of hours that were read completely or are still open. Pure: no clock, no I/O."""

from source_amplitude.ledger.hours import Ledger, ReadHour, conclusive_at, conclusive_until, reached_age
from source_amplitude.ledger.saved import CURSOR_FIELD, SavedState, ledger_from_state, state_from_ledger

__all__ = [
    "CURSOR_FIELD",
    "Ledger",
    "ReadHour",
    "SavedState",
    "conclusive_at",
    "conclusive_until",
    "ledger_from_state",
    "reached_age",
    "state_from_ledger",
]
