"""The hours that a first read of the events will read, for ``check``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.export.amplitude import newest_end
from source_amplitude.windows import HOUR, HourWindow, floor_unit

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.config import Config


@dataclass(frozen=True)
class Outlook:
    """A sentence for users.

    Attributes:
        text: The sentence.
        is_warning: Whether nothing will be read.
    """

    text: str
    is_warning: bool = False


def outlook(config: Config, now: datetime) -> Outlook:
    """Return which hours a read without a state will read, from ``start_date`` on."""
    start, newest = config.start, floor_unit(newest_end(now, config.export_delay_hours))
    if start > now:
        text = f"start_date, {start:%Y-%m-%d %H:%M} UTC, is in the future. No events are read before that time."
        return Outlook(text, is_warning=True)
    end = min(newest, config.end or newest)
    if end <= start:
        due = start + HOUR * config.export_delay_hours
        return Outlook(f"No hour from {start:%Y-%m-%d %H:%M} UTC on is published before {due:%Y-%m-%d %H:%M} UTC.")
    hours = counted(HourWindow(start, end).hours, "hour")
    until = f" to {end:%Y-%m-%d %H:%M} UTC" if config.end and end == config.end else ""
    return Outlook(f"A first read of events reads {hours} from {start:%Y-%m-%d %H:%M} UTC{until}.")
