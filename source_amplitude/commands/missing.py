"""``source-amplitude missing``: which hours are not there, or not whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from source_amplitude.commands.inspection import fetch_command, inspect_store, inspection_parser
from source_amplitude.commands.session import logs_on_stderr, print_error
from source_amplitude.errors import AmplitudeError
from source_amplitude.landing.coverage import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from source_amplitude.commands.session import Session

_DESCRIPTION = """\
Lists the hours that are missing, failed or short (an object is gone or has another size than its manifest says), one a
line, and exits with 1 if there are any. Without --start it looks at everything since the first landed hour.
"""


def missing(arguments: Sequence[str], session: Session) -> int:
    made = inspection_parser("missing", _DESCRIPTION)
    made.add_argument(
        "--strict",
        action="store_true",
        help="count open hours as missing too: Amplitude had nothing for them, and may still publish something",
    )
    options = made.parse_args(arguments)
    with logs_on_stderr():
        try:
            found = inspect_store(options, session)
        except AmplitudeError as error:
            return print_error(error)
    conditions = [each for each in Condition if each.is_missing or (options.strict and each is Condition.OPEN)]
    lacking = found.coverage.of(*conditions)
    for each in lacking:
        sys.stdout.write(f"{each.window.start:%Y-%m-%dT%H}\t{each.condition.value}\t{each.reason}\n")
    sys.stdout.flush()
    hours = sum(each.window.hours for each in lacking)
    of = f"{found.coverage.span.hours:,} hours, {found.coverage.span}, in {found.destination}"
    if not hours:
        sys.stderr.write(f"Nothing is missing of {of}.\n")
        return 0
    found_lacking = "missing, short or open" if options.strict else "missing or short"
    command = fetch_command(
        config=options.config,
        to=options.to,
        format_=found.format_,
        missing=found.coverage.hours_in(*conditions),
        program=session.program,
    )
    sys.stderr.write(f"{hours:,} of {of} are {found_lacking}. To fetch them:\n  {command}\n")
    return 1
