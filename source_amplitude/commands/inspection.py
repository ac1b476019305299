"""Inspect the hours in a store for ``missing`` and ``report``, and suggest the command that downloads missing ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.commands.session import moment, parser, span, yesterday
from source_amplitude.config import Config
from source_amplitude.config.file import read_config
from source_amplitude.errors import NotPublishedError
from source_amplitude.export import newest_end
from source_amplitude.landing.coverage import coverage
from source_amplitude.landing.destination import parse_destination
from source_amplitude.landing.inventory import landed_hours, take_inventory
from source_amplitude.landing.place import read_place, with_arrays
from source_amplitude.landing.store import Store, require_land_extra
from source_amplitude.terminal.command_line import PROGRAM, TypedCommand
from source_amplitude.windows import HOUR, HourSet, HourWindow, floor_unit

if TYPE_CHECKING:
    import argparse

    from source_amplitude.commands.session import Session
    from source_amplitude.landing.coverage import Coverage
    from source_amplitude.landing.destination import Destination


@dataclass(frozen=True)
class Inspection:
    """The result of an inspection.

    Attributes:
        destination: The inspected store.
        coverage: The condition of each hour.
        format_: The format of the destination; empty if it has neither a marker nor landed hours.
    """

    destination: Destination
    coverage: Coverage
    format_: str


def inspection_parser(command: str, description: str) -> argparse.ArgumentParser:
    """Return a parser for a read-only command: that of `parser`, with an optional ``--config``."""
    made = parser(command, description)
    made.add_argument("--config", metavar="FILE", help="optional: only accepted_gaps and export_delay_hours are used")
    return made


def inspect_store(options: argparse.Namespace, session: Session) -> Inspection:
    """Inspect the hours between ``--start`` and ``--end`` in the destination of ``--to``."""
    require_land_extra()
    destination, now = parse_destination(options.to), session.clock.now()
    config = read_config(options.config) if options.config else None
    store = Store(destination, session.store_limits, create=False)
    hours = landed_hours(store)
    first = hours[0] if hours else yesterday(now)
    start = moment("--start", options.start, now) if options.start else first
    newest = floor_unit(newest_end(now, (config or Config).export_delay_hours))
    end = span(start, moment("--end", options.end, now)).end if options.end else newest
    if newest <= start:
        raise NotPublishedError(
            f"No hour from {start:%Y-%m-%d %H:%M} UTC on is expected yet.",
            next_step=f"Use an earlier --start; the newest expected hour is {newest - HOUR:%Y-%m-%d %H:%M} UTC.",
        )
    wanted = HourWindow(start, min(end, newest))
    inventory = take_inventory(store, wanted, hours, look_around=False)
    gaps = config.accepted_gaps if config else HourSet()
    covered = coverage(wanted, inventory.manifests, inventory.folders, accepted_gaps=gaps)
    place = read_place(store)
    landed = next((each.format for each in inventory.manifests.values() if each.format), "")
    format_ = place.format if place else landed
    return Inspection(destination, covered, with_arrays(format_, destination))


def fetch_command(
    *, config: str | None, to: str, format_: str, missing: HourSet, program: tuple[str, ...] = (PROGRAM,)
) -> str | None:
    """Return the shell command that downloads the missing hours, if any.

    Args:
        config: The configuration file; None if the user named none.
        to: The destination as typed.
        format_: The format of the landed hours; empty without landed hours.
        missing: The missing hours.
        program: How this program was called.
    """
    if not missing.windows:
        return None
    first, last = missing.windows[0].start, missing.windows[-1].end
    words = ["land", "--config", config or "config.json", "--to", to]
    words += ["--start", f"{first:%Y-%m-%dT%H}", "--end", f"{last:%Y-%m-%dT%H}"]
    words += ["--format", format_] if format_ not in ("", "raw") else []
    return str(TypedCommand(program, (*words, "--only-missing")))
