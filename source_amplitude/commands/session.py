"""Shared parts of the commands: options, log lines and errors on stderr, and the injectable environment."""

from __future__ import annotations

import argparse
import json
import logging
import platform
import re
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from source_amplitude.api import printable, printable_lines, redact, without_addresses
from source_amplitude.clock import SystemClock
from source_amplitude.config import AMPLITUDE_BEGINNING
from source_amplitude.config.environment import config_of_environment
from source_amplitude.config.file import read_config
from source_amplitude.distribution import version
from source_amplitude.errors import AmplitudeError, InvalidConfigError
from source_amplitude.export import Amplitude, Limits
from source_amplitude.landing.destination import StoreLimits
from source_amplitude.terminal.command_line import PROGRAM
from source_amplitude.terminal.exit_codes import EXIT_FAILED, EXIT_SIGNALLED, EXIT_USAGE
from source_amplitude.terminal.options import Parser
from source_amplitude.windows import DAY, HourWindow, floor_hour, floor_unit, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from source_amplitude.clock import Clock
    from source_amplitude.config import Config, Keys

_logger = logging.getLogger("airbyte")

_ONLY_IN_READ = (  # start_date, which read needs, is in each configuration
    "end_date",
    "active_users_group_by_country",
    "num_processes",
    "dashboard_lookback_days",
    "project_time_zone",
    "cohort_ids",
    "cohort_properties",
    "composition_properties",
    "chart_ids",
)
_LAST_YEAR = 2199
_TIMES = "a UTC time (2026-01-01, 2026-01-01T05, yesterday, today; 36h or 3d: that long ago)"


@dataclass(frozen=True)
class Session:
    """A command's environment, limits, clock and program name; injectable in tests."""

    environ: Mapping[str, str]
    limits: Limits
    store_limits: StoreLimits
    clock: Clock
    program: tuple[str, ...] = (PROGRAM,)

    @classmethod
    def of(
        cls,
        environ: Mapping[str, str],
        limits: Limits | None = None,
        store_limits: StoreLimits | None = None,
        clock: Clock | None = None,
        program: tuple[str, ...] = (PROGRAM,),
    ) -> Session:
        return cls(environ, limits or Limits(), store_limits or StoreLimits(), clock or SystemClock(), program)

    def config(self, options: argparse.Namespace) -> Config:
        """Return the configuration of ``--config``; without it, that of the environment and ``--region``.

        Raises:
            InvalidConfigError: Neither is valid, or both ``--config`` and ``--region`` are given.
        """
        if not options.config:
            return config_of_environment(self.environ, options.region)
        if options.region:
            raise InvalidConfigError(("--region: with --config, data_region in the configuration names the region",))
        return read_config(options.config, _ONLY_IN_READ)

    def amplitude(self, config: Config) -> Amplitude:
        """Return the Amplitude client; raise InvalidConfigError if AMPLITUDE_API_URL is not a valid address."""
        return Amplitude.of(config, self.limits, self.clock, self.environ.get("AMPLITUDE_API_URL"))


def print_error(error: AmplitudeError, keys: Keys | None = None) -> int:
    """Print an error on stderr, with masked keys and escaped control characters, and return the exit code.

    Wrong options have one line each and the exit code 2; other errors have one line and the exit code 1.
    """
    is_usage = isinstance(error, InvalidConfigError) and error.is_usage
    for each in error.problems if isinstance(error, InvalidConfigError) and is_usage else (error.message,):
        text = redact(each, keys) if keys else without_addresses(each)
        sys.stderr.write(f"source-amplitude: {printable(text)}\n")
    return EXIT_USAGE if is_usage else EXIT_FAILED


def end_stopped(received: Sequence[int]) -> int:
    """Print that the command was stopped, and return the exit code for the received signal."""
    sys.stderr.write("source-amplitude: Stopped.\n")
    return EXIT_SIGNALLED + received[0]


def print_json(result: Mapping[str, object]) -> None:
    """Print a command's result on one line; JSON escapes control characters."""
    sys.stdout.write(f"{json.dumps(result)}\n")


def hour_text(hour: datetime) -> str:
    """Return an hour in the form of ``--start``."""
    return f"{hour:%Y-%m-%dT%H}"


class _OnStderr(logging.Handler):
    """Writes to the current ``sys.stderr``, which rich replaces while it draws a progress line."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


@contextmanager
def logs_on_stderr(options: argparse.Namespace, level: int = logging.INFO) -> Iterator[list[Keys]]:
    """Print log lines from ``level`` on, or with ``--debug`` all of them, on stderr.

    The keys that the caller appends to the yielded list are masked.
    """
    keys: list[Keys] = []

    class Masked(logging.Formatter):
        """Masks keys and escapes control characters; only a traceback has several lines."""

        def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class names it
            return printable(self._masked(super().formatMessage(record)))

        def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - as above
            return printable_lines(self._masked(super().formatException(ei)))

        def _masked(self, text: str) -> str:
            text = without_addresses(text)
            for each in keys:
                text = redact(text, each)
            return text

    handler = _OnStderr()
    formatter = Masked("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    before = _logger.level, _logger.propagate
    _logger.addHandler(handler)
    _logger.setLevel(logging.DEBUG if options.debug else level)
    _logger.propagate = False
    _logger.debug("source-amplitude %s, Python %s, %s", version(), platform.python_version(), platform.platform())
    try:
        yield keys
    finally:
        _logger.removeHandler(handler)
        _logger.setLevel(before[0])
        _logger.propagate = before[1]


class _StoreOption(argparse.Action):
    """Stores a destination as ``to``, and the typed name of the option as ``to_option`` for messages."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - the base class's signature
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        namespace.to, namespace.to_option = values, option_string


def store_parser(command: str, description: str, *, store_options: tuple[str, ...]) -> Parser:
    """Return a parser with ``--debug`` and the options that name the store."""
    made = Parser(command, description)
    made.add_argument(
        *store_options,
        dest="to",
        action=_StoreOption,
        required=True,
        metavar="DESTINATION",
        help="s3://bucket/prefix, az://container/prefix, gs://bucket/prefix, or a folder",
    )
    made.add_argument("--debug", action="store_true", help="print detailed log lines")
    return made


def parser(command: str, description: str, *, store_options: tuple[str, ...] = ("--to",)) -> Parser:
    """Return a parser with the options of `store_parser`, ``--start``, ``--end``, ``--quiet`` and ``--json``."""
    made = store_parser(command, description, store_options=store_options)
    made.add_argument("--start", metavar="TIME", help=f"the first hour, {_TIMES}")
    made.add_argument(
        "--end", metavar="TIME", help="the end, not included, as for --start (default: up to the newest published hour)"
    )
    made.add_argument("--quiet", action="store_true", help="print problems only")
    made.add_argument("--json", action="store_true", help="print the result as one JSON object")
    return made


def moment(option: str, text: str, now: datetime) -> datetime:
    """Return the start of the hour in a value of ``--start`` or ``--end``; before 2014-11-12, of the day."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"today": today, "yesterday": today - DAY}
    ago = re.fullmatch(r"(\d{1,5})([hd])", text)
    if ago:
        found = now - timedelta(hours=int(ago[1]) * (24 if ago[2] == "d" else 1))
    else:
        parsed = named.get(text) or parse_moment(text)
        if parsed is None:
            raise InvalidConfigError((f"{option}: {text!r} is not {_TIMES}",))
        found = parsed
    if found < AMPLITUDE_BEGINNING:
        raise InvalidConfigError((f"{option}: {text!r} is before {AMPLITUDE_BEGINNING:%Y-%m-%d}",))
    if found.year > _LAST_YEAR:
        raise InvalidConfigError((f"{option}: {text!r} is after {_LAST_YEAR}",))
    return floor_unit(found)


def moments(options: argparse.Namespace, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the hours of ``--start`` and ``--end``, None without them; report wrong values of both together."""
    found: list[datetime | None] = []
    problems: list[str] = []
    for option, text in (("--start", options.start), ("--end", options.end)):
        try:
            found.append(moment(option, text, now) if text is not None else None)
        except InvalidConfigError as error:
            problems += error.problems
    if problems:
        raise InvalidConfigError(tuple(problems))
    return found[0], found[1]


def span(start: datetime, end: datetime) -> HourWindow:
    """Return the hours between the two options; raise InvalidConfigError if the end is not after the start."""
    if end <= start:
        raise InvalidConfigError((f"--end: {end:%Y-%m-%dT%H} is not after --start, {start:%Y-%m-%dT%H}",))
    return HourWindow(start, end)


def yesterday(now: datetime) -> datetime:
    """Return the default of ``--start``."""
    return floor_hour(now).replace(hour=0) - DAY
