"""``source-amplitude land``: copy export files to an object store or a folder."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.commands.session import logs_on_stderr, moment, parser, print_error, span, yesterday
from source_amplitude.config import MalformedLines
from source_amplitude.config.file import read_config
from source_amplitude.disk import require_temporary_folder
from source_amplitude.errors import (
    AmplitudeError,
    HoursMissingError,
    InvalidConfigError,
    MalformedLinesError,
    StoppedError,
)
from source_amplitude.export import not_published_error
from source_amplitude.landing.destination import parse_destination
from source_amplitude.landing.formats import FORMAT_NAMES, format_named
from source_amplitude.landing.lander import Lander
from source_amplitude.landing.store import Store, require_land_extra
from source_amplitude.terminal.console import ConsoleReporter, Terminal
from source_amplitude.terminal.exit_codes import EXIT_SIGNALLED
from source_amplitude.terminal.signals import stops_on_signals
from source_amplitude.windows import HourWindow, hour_window

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from source_amplitude.commands.session import Session
    from source_amplitude.config import Config
    from source_amplitude.export import ProgressListener

_DESCRIPTION = """\
Copies export files to S3, Azure, GCS or a folder. Files that are already there and unchanged are skipped. A manifest
per hour records what was copied. Without --start, it copies all hours since yesterday, 00:00 UTC.
"""


def land(arguments: Sequence[str], session: Session) -> int:
    """Run the command and return its exit code: 0 if every hour of the span is landed, otherwise 1."""
    options = _options(arguments)
    stop, terminal = threading.Event(), Terminal.of(session.environ)
    level = logging.WARNING if terminal.can_draw else logging.INFO
    with (
        stops_on_signals(stop, os._exit) as received,  # a writer may wait minutes for its store
        logs_on_stderr(options, level) as secrets,
        closing(ConsoleReporter(terminal, stop, data_on_stdout=False)) as listener,
    ):
        try:
            config = read_config(options.config)
            secrets.append(config.keys)
            code = _execute(options, config, session, stop, listener)
        except AmplitudeError as error:
            code = print_error(error, secrets[0] if secrets else None)
    return EXIT_SIGNALLED + received[0] if received else code


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    made = parser("land", _DESCRIPTION)
    made.add_argument("--config", required=True, metavar="FILE", help="the configuration: JSON or YAML")
    made.add_argument(
        "--format",
        choices=FORMAT_NAMES,
        default="raw",
        help="raw: Amplitude's original files (default); jsonl, parquet: the records that read prints; json: raw, and "
        "a JSON array per day (only in a folder)",
    )
    made.add_argument(
        "--only-missing",
        action="store_true",
        help="only hours that are missing, incomplete or may have late data",
    )
    made.add_argument(
        "--event-types", action="store_true", help="with raw and json: count events by type, for the report"
    )
    return made.parse_args(arguments)


def _execute(
    options: argparse.Namespace, config: Config, session: Session, stop: threading.Event, listener: ProgressListener
) -> int:
    require_land_extra()
    require_temporary_folder()
    destination = parse_destination(options.to)
    if options.format == "json" and destination.folder is None:
        raise InvalidConfigError(("--format: json writes one file per day, which needs a local folder in --to",))
    now = session.clock.now()
    start = moment("--start", options.start, now) if options.start else yesterday(now)
    end = moment("--end", options.end, now) if options.end else None
    if end is not None:
        span(start, end)
    format_ = format_named(options.format, count_event_types=options.event_types)
    store = Store(destination, session.store_limits, create=True, stop=stop)
    amplitude = session.amplitude(config)
    amplitude.connect()
    newest = amplitude.span_end(end)
    if start < newest:
        _write_span(span(start, newest), Lander(amplitude, store, format_, stop, listener), options, session)
    if start >= newest or (end is not None and end > newest):
        first = max(start, newest)
        hours = HourWindow(first, end) if end else hour_window(first)
        raise not_published_error(hours, config.export_delay_hours)
    return 0


def _write_span(wanted: HourWindow, lander: Lander, options: argparse.Namespace, session: Session) -> None:
    began_seconds = session.clock.monotonic_seconds()
    try:
        lander.land(wanted, only_missing=options.only_missing)
    except HoursMissingError:
        with suppress(MalformedLinesError):  # missing hours are the more useful error
            _write_arrays(wanted, lander, options)
        raise
    except StoppedError:
        raise StoppedError(
            "Stopped.", tried="", next_step="Progress is saved; run the same command to continue."
        ) from None
    finally:
        lander.listener.close()
        seconds = session.clock.monotonic_seconds() - began_seconds
        if lander.landing.is_begun or sys.exc_info()[0] is None:
            summary = lander.landing.summary(wanted, str(lander.store.destination), seconds)
            sys.stdout.write(f"{printable(summary)}\n")
    _write_arrays(wanted, lander, options)


def _write_arrays(wanted: HourWindow, lander: Lander, options: argparse.Namespace) -> None:
    folder = lander.store.destination.folder
    if options.format != "json" or folder is None:
        return
    from source_amplitude.landing.json_arrays import malformed_error, write_day_files  # noqa: PLC0415 - slow to import

    malformed = write_day_files(lander.store, folder, wanted, lander.landing.changed_days)
    if malformed and lander.config.malformed_lines is not MalformedLines.SKIP:
        raise malformed_error(malformed)
