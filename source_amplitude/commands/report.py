"""``source-amplitude report``: show the landed hours as an HTML page or as a grid in the terminal."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.commands.inspection import config_for_hint, fetch_command, inspect_store, inspection_parser
from source_amplitude.commands.session import end_stopped, hour_text, logs_on_stderr, print_error, print_json
from source_amplitude.errors import AmplitudeError, InvalidConfigError, StoppedError
from source_amplitude.report.html_page import page
from source_amplitude.terminal.exit_codes import EXIT_OK, EXIT_SIGNALLED
from source_amplitude.terminal.signals import stops_on_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from source_amplitude.commands.inspection import Inspection
    from source_amplitude.commands.session import Session

_DESCRIPTION = """\
Shows landed hours with their event counts, and missing hours: as an HTML page (--out) or as a grid in the terminal.
Without --start, the report begins at the first landed hour.
"""


def report(arguments: Sequence[str], session: Session) -> int:
    """Run the command and return its exit code: 0 even if hours are missing; for that, see `missing`."""
    made = inspection_parser("report", _DESCRIPTION)
    made.add_argument("--out", metavar="FILE", help="write an HTML page to this file (default: print a grid)")
    options = made.parse_args(arguments)
    stop = threading.Event()
    with stops_on_signals(stop) as received, logs_on_stderr(options):
        try:
            found = inspect_store(options, session, stop)
            command = fetch_command(
                config=config_for_hint(options, session),
                to=options.to,
                format_=found.format_,
                missing=found.coverage.missing(),
                program=session.program,
            )
            if options.out:
                html = page(found.coverage, title=str(found.destination), made_at=session.clock.now(), command=command)
                _write(options.out, html)
            if options.json:
                print_json(_as_json(found, command))
            elif not options.out:
                _print(found, command)
            elif not options.quiet:
                sys.stdout.write(f"{printable(options.out)}\n")
        except StoppedError:
            return end_stopped(received)
        except AmplitudeError as error:
            return print_error(error)
    return EXIT_SIGNALLED + received[0] if received else EXIT_OK


def _write(name: str, html: str) -> None:
    if "://" in name:
        raise InvalidConfigError((f"--out: {name!r} is not a local file; write a local file and copy it to the store",))
    out = Path(name)
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise InvalidConfigError((f"--out: {out} cannot be written ({error.strerror})",)) from error


def _as_json(found: Inspection, command: str | None) -> dict[str, object]:
    hours = found.coverage.hours
    return {
        "destination": str(found.destination),
        "start": hour_text(found.coverage.span.start),
        "end": hour_text(found.coverage.span.end),
        "is_landed": found.is_begun,
        "events": sum(each.events for each in hours),
        "bytes": sum(each.object_bytes for each in hours),
        "conditions": dict(Counter(each.condition.value for each in hours)),
        "hours": [
            {
                "start": hour_text(each.window.start),
                "hours": each.window.hours,
                "condition": each.condition.value,
                "events": each.events,
                "bytes": each.object_bytes,
                "objects": each.objects,
                "reason": each.reason,
            }
            for each in hours
        ],
        "command": command,
    }


def _print(found: Inspection, command: str | None) -> None:
    from rich.console import Console  # noqa: PLC0415 - not needed for a page

    from source_amplitude.report.terminal_grid import Grid  # noqa: PLC0415 - as above

    console = Console(highlight=False)
    if not found.is_begun:
        console.print(f"Nothing has been landed in {found.name}.", markup=False)
    console.print(f"{found.name}, {found.coverage.span}", markup=False)
    console.print(Grid(found.coverage))
    if command:
        sys.stdout.write(f"To download the missing hours:\n  {command}\n")
