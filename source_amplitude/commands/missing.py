"""``source-amplitude missing``: list the spans of missing or incomplete hours."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.commands.inspection import config_for_hint, fetch_command, inspect_store, inspection_parser
from source_amplitude.commands.session import end_stopped, hour_text, logs_on_stderr, print_error, print_json
from source_amplitude.errors import AmplitudeError, StoppedError, counted
from source_amplitude.landing.coverage import Condition, spans_of
from source_amplitude.terminal.exit_codes import (
    EXIT_COULD_NOT_LOOK,
    EXIT_FAILED,
    EXIT_OK,
    EXIT_USAGE,
)
from source_amplitude.terminal.signals import stops_on_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from source_amplitude.commands.inspection import Inspection
    from source_amplitude.commands.session import Session
    from source_amplitude.landing.coverage import CoverSpan

_DESCRIPTION = """\
Lists missing, failed and short hours. Each line is a span of hours: its start, its end, the number of hours, their
condition and the reason, separated by tabs. An hour is short if an object is missing or its size differs from the
manifest. Without --start, the list begins at the first landed hour. Exit codes: 0 if nothing is missing, 1 if hours
are missing, 3 if it could not look.
"""


def missing(arguments: Sequence[str], session: Session) -> int:
    """Run the command and return its exit code: 0 if no hour is missing, 1 if hours are, 3 if it could not look."""
    made = inspection_parser("missing", _DESCRIPTION)
    made.add_argument(
        "--strict",
        action="store_true",
        help="also list open hours, which have no data yet but may get some",
    )
    options = made.parse_args(arguments)
    stop = threading.Event()
    with stops_on_signals(stop) as received, logs_on_stderr(options):
        try:
            found = inspect_store(options, session, stop)
        except StoppedError:
            return end_stopped(received)
        except AmplitudeError as error:
            return EXIT_USAGE if print_error(error) == EXIT_USAGE else EXIT_COULD_NOT_LOOK
    conditions = [each for each in Condition if each.is_missing or (options.strict and each is Condition.OPEN)]
    command = fetch_command(
        config=config_for_hint(options, session),
        to=options.to,
        format_=found.format_,
        missing=found.coverage.hours_in(*conditions),
        program=session.program,
    )
    spans = spans_of(found.coverage.of(*conditions))
    if options.json:
        print_json(_as_json(found, spans, command))
    else:
        _print(options, found, spans, command)
    return EXIT_FAILED if spans else EXIT_OK


def _as_json(found: Inspection, spans: Sequence[CoverSpan], command: str | None) -> dict[str, object]:
    return {
        "destination": str(found.destination),
        "start": hour_text(found.coverage.span.start),
        "end": hour_text(found.coverage.span.end),
        "hours": found.coverage.span.hours,
        "is_landed": found.is_begun,
        "missing_hours": sum(each.window.hours for each in spans),
        "missing": [
            {
                "start": hour_text(each.window.start),
                "end": hour_text(each.window.end),
                "hours": each.window.hours,
                "condition": each.condition.value,
                "reason": each.reason,
            }
            for each in spans
        ],
        "command": command,
    }


def _print(options: argparse.Namespace, found: Inspection, spans: Sequence[CoverSpan], command: str | None) -> None:
    for each in spans:
        span = (hour_text(each.window.start), hour_text(each.window.end), str(each.window.hours))
        sys.stdout.write("\t".join((*span, each.condition.value, printable(each.reason))) + "\n")
    sys.stdout.flush()
    searched = f"{counted(found.coverage.span.hours, 'hour')}, {found.coverage.span}, in {found.name}"
    if command is None:
        if not options.quiet:
            sys.stderr.write(f"Nothing is missing: {searched}.\n")
        return
    hours = sum(each.window.hours for each in spans)
    kinds = "Missing, incomplete or open" if options.strict else "Missing or incomplete"
    nothing = "" if found.is_begun else f"Nothing has been landed in {found.name}. "
    sys.stderr.write(f"{nothing}{kinds}: {hours:,} of {searched}. To download them:\n  {command}\n")
