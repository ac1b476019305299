"""``source-amplitude land``: copy export files to an object store or a folder."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.commands.session import logs_on_stderr, moments, parser, print_error, print_json, span, yesterday
from source_amplitude.config import MalformedLines
from source_amplitude.config.environment import API_KEY, REGION, REGIONS, SECRET_KEY
from source_amplitude.disk import require_temporary_folder
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    HoursMissingError,
    InvalidConfigError,
    MalformedLinesError,
    OtherFormatError,
    StoppedError,
)
from source_amplitude.export import not_published_error
from source_amplitude.landing.destination import parse_destination
from source_amplitude.landing.formats import FORMAT_NAMES, format_named
from source_amplitude.landing.inventory import recorded_format
from source_amplitude.landing.lander import Lander
from source_amplitude.landing.store import Store, require_land_extra
from source_amplitude.terminal.console import ConsoleReporter, Terminal
from source_amplitude.terminal.exit_codes import EXIT_SIGNALLED
from source_amplitude.terminal.options import file_name, one_of
from source_amplitude.terminal.signals import stops_on_signals
from source_amplitude.windows import HourWindow, hour_window

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from source_amplitude.commands.session import Session
    from source_amplitude.config import Config
    from source_amplitude.export import ProgressListener
    from source_amplitude.landing.destination import Destination

_DESCRIPTION = """\
Copies export files to S3, Azure, GCS or a folder. Files that are already there and unchanged are skipped. A manifest
per hour records what was copied. Without --start, it copies all hours since yesterday, 00:00 UTC.

The keys are those of --config, or AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY in the environment.
"""
_CHECK_KEYS = (
    f"Check that {API_KEY} and {SECRET_KEY} are from the same project (Amplitude: Settings > Projects), and that "
    f"--region or {REGION} names the region where the project is stored."
)


def land(arguments: Sequence[str], session: Session) -> int:
    """Run the command and return its exit code: 0 if every hour of the span is landed, otherwise 1."""
    options = _options(arguments)
    stop, terminal = threading.Event(), Terminal.of(session.environ)
    if options.quiet:
        terminal = replace(terminal, can_draw=False)
    with (
        stops_on_signals(stop) as received,
        logs_on_stderr(options, logging.WARNING) as secrets,
        closing(ConsoleReporter(terminal, stop, data_on_stdout=False)) as listener,
    ):
        try:
            config = session.config(options)
            secrets.append(config.keys)
            code = _execute(options, config, session, stop, listener)
        except AmplitudeError as error:
            if isinstance(error, CredentialsRejectedError) and not options.config:
                error.advice = advice_without_config(error)
            code = print_error(error, secrets[0] if secrets else None)
    return EXIT_SIGNALLED + received[0] if received else code


def advice_without_config(error: CredentialsRejectedError) -> str:
    """Return the next step for keys in the environment; the error's own one names fields of a configuration."""
    accepting = (name for name, region in REGIONS.items() if error.advice == f"Set data_region to '{region.value}'.")
    other = next(accepting, None)
    return _CHECK_KEYS if other is None else f"Use --region {other}, or set {REGION}={other}."


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    made = parser("land", _DESCRIPTION)
    made.add_argument(
        "--config",
        type=file_name,
        metavar="FILE",
        help="the configuration: YAML or JSON (default: the keys in the environment, and each field's default)",
    )
    made.add_argument(
        "--region",
        type=one_of(REGIONS),
        metavar="REGION",
        help=f"us or eu, without --config: where Amplitude stores the project (default: {REGION}, or us)",
    )
    made.add_argument(
        "--format",
        type=one_of(FORMAT_NAMES),
        metavar="FORMAT",
        help="default: the format of the destination, or raw if it is new; raw: Amplitude's original files; jsonl, "
        "parquet: the records that read prints; json: raw, and a JSON array per day (only in a folder)",
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
    _require_folder_for_arrays(options.format, destination)
    now = session.clock.now()
    first, end = moments(options, now)
    start = first or yesterday(now)
    if end is not None:
        span(start, end)
    if options.format:
        format_named(options.format)  # an extra that is not installed, before the first request
    store = Store(destination, session.store_limits, create=True, stop=stop)
    options.format = options.format or _format_of(store)
    format_ = format_named(options.format, count_event_types=options.event_types)
    amplitude = session.amplitude(config)
    amplitude.connect(stop)
    newest = amplitude.span_end(end)
    if start < newest:
        _write_span(span(start, newest), Lander(amplitude, store, format_, stop, listener), options, session)
    if start >= newest or (end is not None and end > newest):
        missed = max(start, newest)
        hours = HourWindow(missed, end) if end else hour_window(missed)
        raise not_published_error(hours, config.export_delay_hours)
    return 0


def _require_folder_for_arrays(format_: str | None, destination: Destination) -> None:
    if format_ == "json" and destination.folder is None:
        raise InvalidConfigError(("--format: json writes one file per day, which needs a local folder in --to",))


def _format_of(store: Store) -> str:
    """Return the format of the destination, or ``raw`` if it is new."""
    format_ = recorded_format(store) or "raw"
    if format_ not in FORMAT_NAMES:
        raise OtherFormatError(
            f"{store.destination} is used for {printable(format_)} files, which this version cannot write.",
            tried="No object was written.",
            next_step="Install the version that began this destination, or use another --to.",
        )
    _require_folder_for_arrays(format_, store.destination)
    return format_


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
        is_complete = sys.exc_info()[0] is None
        if lander.landing.is_begun or is_complete:
            _print_result(lander, wanted, seconds, options, is_complete=is_complete)
    _write_arrays(wanted, lander, options)


def _print_result(
    lander: Lander, wanted: HourWindow, seconds: float, options: argparse.Namespace, *, is_complete: bool
) -> None:
    landing, destination = lander.landing, str(lander.store.destination)
    if options.json:
        print_json(landing.as_json(wanted, destination, seconds, is_complete=is_complete))
    elif not options.quiet:
        sys.stdout.write(f"{printable(landing.summary(wanted, destination, seconds, is_complete=is_complete))}\n")


def _write_arrays(wanted: HourWindow, lander: Lander, options: argparse.Namespace) -> None:
    folder = lander.store.destination.folder
    if options.format != "json" or folder is None:
        return
    from source_amplitude.landing.json_arrays import malformed_error, write_day_files  # noqa: PLC0415 - slow to import

    malformed = write_day_files(lander.store, folder, wanted, lander.landing.changed_days)
    if malformed and lander.config.malformed_lines is not MalformedLines.SKIP:
        raise malformed_error(malformed)
