"""``source-amplitude missing``: list missing or incomplete hours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.commands.inspection import fetch_command, inspect_store, inspection_parser
from source_amplitude.commands.session import logs_on_stderr, print_error
from source_amplitude.errors import AmplitudeError, counted
from source_amplitude.landing.coverage import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from source_amplitude.commands.session import Session

_DESCRIPTION = """\
Lists missing, failed and short hours, one per line, and exits with 1 if there are any. An hour is short if an object
is missing or its size differs from the manifest. Without --start, the list begins at the first landed hour.
"""


def missing(arguments: Sequence[str], session: Session) -> int:
    made = inspection_parser("missing", _DESCRIPTION)
    made.add_argument(
        "--strict",
        action="store_true",
        help="also list open hours, which have no data yet but may get some",
    )
    options = made.parse_args(arguments)
    with logs_on_stderr(options):
        try:
            found = inspect_store(options, session)
        except AmplitudeError as error:
            return print_error(error)
    conditions = [each for each in Condition if each.is_missing or (options.strict and each is Condition.OPEN)]
    incomplete = found.coverage.of(*conditions)
    for each in incomplete:
        sys.stdout.write(f"{each.window.start:%Y-%m-%dT%H}\t{each.condition.value}\t{printable(each.reason)}\n")
    sys.stdout.flush()
    hours = sum(each.window.hours for each in incomplete)
    searched = (
        f"{counted(found.coverage.span.hours, 'hour')}, {found.coverage.span}, in {printable(str(found.destination))}"
    )
    if not hours:
        sys.stderr.write(f"Nothing is missing: {searched}.\n")
        return 0
    kinds = "Missing, incomplete or open" if options.strict else "Missing or incomplete"
    command = fetch_command(
        config=options.config,
        to=options.to,
        format_=found.format_,
        missing=found.coverage.hours_in(*conditions),
        program=session.program,
    )
    sys.stderr.write(f"{kinds}: {hours:,} of {searched}. To download them:\n  {command}\n")
    return 1
