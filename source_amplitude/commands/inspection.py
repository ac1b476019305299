"""Inspect the hours in a store for ``missing`` and ``report``, and suggest the command that downloads missing ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.commands.session import hour_text, moments, parser, span, yesterday
from source_amplitude.config import Config
from source_amplitude.config.environment import missing_keys
from source_amplitude.config.file import read_config
from source_amplitude.errors import InvalidConfigError, NotPublishedError
from source_amplitude.export import newest_end
from source_amplitude.landing.coverage import coverage
from source_amplitude.landing.destination import parse_destination
from source_amplitude.landing.inventory import landed_hours, take_inventory
from source_amplitude.landing.place import read_place, with_arrays
from source_amplitude.landing.store import Store, require_land_extra
from source_amplitude.terminal.command_line import PROGRAM, TypedCommand
from source_amplitude.terminal.options import file_name
from source_amplitude.windows import HOUR, HourSet, HourWindow, floor_unit

if TYPE_CHECKING:
    import argparse
    import threading

    from source_amplitude.commands.session import Session
    from source_amplitude.landing.coverage import Coverage
    from source_amplitude.landing.destination import Destination
    from source_amplitude.terminal.options import Parser


@dataclass(frozen=True)
class Inspection:
    """The result of an inspection.

    Attributes:
        destination: The inspected store.
        coverage: The condition of each hour.
        format_: The format of the destination; empty if it has neither a marker nor landed hours.
        is_begun: Whether any hour has a manifest, also outside the span.
    """

    destination: Destination
    coverage: Coverage
    format_: str
    is_begun: bool

    @property
    def name(self) -> str:
        """The destination, for output."""
        return printable(str(self.destination))


def inspection_parser(command: str, description: str) -> Parser:
    """Return a parser for a read-only command: that of `parser`, with an optional ``--config``."""
    made = parser(command, description, store_options=("--from", "--to"))
    made.add_argument(
        "--config", type=file_name, metavar="FILE", help="optional: only accepted_gaps and export_delay_hours are used"
    )
    return made


def inspect_store(options: argparse.Namespace, session: Session, stop: threading.Event) -> Inspection:
    """Inspect the hours between ``--start`` and ``--end`` in the destination of ``--from``.

    Raises:
        StoppedError: ``stop`` was set.
    """
    require_land_extra()
    destination, now = destination_of(options), session.clock.now()
    config = read_config(options.config) if options.config else None
    store = Store(destination, session.store_limits, create=False, stop=stop)
    hours = landed_hours(store)
    first = hours[0] if hours else yesterday(now)
    given = moments(options, now)
    start = given[0] or first
    newest = floor_unit(newest_end(now, (config or Config).export_delay_hours))
    end = span(start, given[1]).end if given[1] else newest
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
    return Inspection(destination, covered, with_arrays(format_, destination), bool(hours))


def destination_of(options: argparse.Namespace) -> Destination:
    """Return the parsed destination; raise an InvalidConfigError that names the typed option."""
    try:
        return parse_destination(options.to)
    except InvalidConfigError as error:  # it names --to
        problems = (problem.replace("--to", options.to_option, 1) for problem in error.problems)
        raise InvalidConfigError(tuple(problems)) from None


def config_for_hint(options: argparse.Namespace, session: Session) -> str | None:
    """Return the configuration file to show in a command; None if the environment has the keys."""
    if options.config:
        return str(options.config)
    return "config.yaml" if missing_keys(session.environ) else None


def fetch_command(
    *, config: str | None, to: str, format_: str, missing: HourSet, program: tuple[str, ...] = (PROGRAM,)
) -> str | None:
    """Return the shell command that downloads the missing hours, if any.

    Args:
        config: The configuration file; None if the keys are in the environment.
        to: The destination as typed.
        format_: The format of the landed hours; empty without landed hours.
        missing: The missing hours.
        program: How this program was called.
    """
    if not missing.windows:
        return None
    first, last = missing.windows[0].start, missing.windows[-1].end
    words = ["land", *(("--config", config) if config else ()), "--to", to]
    words += ["--start", hour_text(first), "--end", hour_text(last)]
    words += ["--format", format_] if format_ not in ("", "raw") else []
    return str(TypedCommand(program, (*words, "--only-missing")))
