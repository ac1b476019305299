"""Run ``check``, ``discover`` and ``spec`` without the CDK, whose import takes over a second.

PyAirbyte starts these commands before each sync, and a person waits for them at Airbyte's form. The messages are those
of the CDK's entrypoint; only invalid configurations are reported all at once, and a failed ``check`` exits with 1.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import threading
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from source_amplitude.airbyte.catalog import catalog_streams, configured_catalog
from source_amplitude.airbyte.failures import Failure, check_failure, failure_of
from source_amplitude.airbyte.log_lines import LogLines, logs_as_messages
from source_amplitude.airbyte.messages import (
    catalog_message,
    failed_message,
    line_of,
    spec_line,
    succeeded_message,
    trace_message,
)
from source_amplitude.airbyte.output import LineWriter
from source_amplitude.airbyte.secret_filter import SecretFilter
from source_amplitude.api import printable_lines, without_addresses
from source_amplitude.config import parse_config
from source_amplitude.config.file import read_raw_config
from source_amplitude.disk import require_temporary_folder
from source_amplitude.errors import AmplitudeError
from source_amplitude.terminal.console import ConsoleReporter, Terminal
from source_amplitude.terminal.exit_codes import EXIT_FAILED, EXIT_OK, EXIT_SIGNALLED
from source_amplitude.terminal.signals import stops_on_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from types import TracebackType

    from source_amplitude.airbyte.connection import Connection
    from source_amplitude.clock import Clock
    from source_amplitude.config import Config, Keys
    from source_amplitude.export.outlook import Outlook

_UNEXPECTED = "Something went wrong in the connector. See the logs for more details."
"""The CDK's message for errors that are bugs."""

_logger = logging.getLogger("airbyte")
_status_logger = logging.getLogger("airbyte.source-amplitude")  # the CDK's logger of its own lines


def answer(options: argparse.Namespace, connection: Connection, environ: Mapping[str, str] = os.environ) -> int:
    """Run ``check``, ``discover`` or ``spec`` and return the process's exit code.

    Status is printed on stderr if it is a terminal. Airbyte messages go to stdout; if both are terminals, a failure is
    printed only once.

    A failed ``check`` exits with 1, for shell scripts; Airbyte reads the status message. SIGTERM and Ctrl-C end a
    request of ``check``; after SIGTERM, a command that has succeeded exits with 0.
    """
    if environ.get("DEPLOYMENT_MODE", "").casefold() == "cloud":
        from source_amplitude.airbyte.cloud import refuse_private_addresses  # noqa: PLC0415 - imports the CDK

        refuse_private_addresses()
    terminal, stop, secrets = Terminal.of(environ), threading.Event(), SecretFilter()
    is_platform_debug = environ.get("LOG_LEVEL", "").lower() == "debug"
    formatter = LogLines(secrets.mask, is_platform_debug=is_platform_debug)
    _set_levels(is_debug=options.debug or is_platform_debug, terminal=terminal)
    stdout = LineWriter(sys.stdout.buffer)
    is_quiet = options.command == "check" and terminal.both_are_terminals and not options.debug
    messages = Messages(LineWriter(io.BytesIO()) if is_quiet else stdout, secrets, connection.clock)
    is_plain_json = options.command == "discover" and options.configured
    logs = LineWriter(io.BytesIO()) if is_plain_json else messages.writer
    _report_uncaught(Messages(stdout, secrets, connection.clock), formatter)
    with (
        redirect_stdout(cast("IO[str]", stdout)),
        stops_on_signals(stop) as received,
        logs_as_messages(logs, formatter),
    ):
        code = _Command(options, connection, messages, terminal, stop).run(ConsoleReporter(terminal, stop))
    if received == [signal.SIGTERM] and code == EXIT_OK:
        return code  # PyAirbyte terminates check after its response, and accepts only the codes 0 and -15
    return EXIT_SIGNALLED + received[0] if received else code


def _set_levels(*, is_debug: bool, terminal: Terminal) -> None:
    _logger.setLevel(logging.DEBUG if is_debug else logging.WARNING if terminal.both_are_terminals else logging.INFO)
    _status_logger.setLevel(logging.DEBUG if is_debug else logging.INFO)


def _report_uncaught(messages: Messages, formatter: logging.Formatter) -> None:
    """Report exceptions that no code expects as a log line and a TRACE message, as the CDK does."""

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        with logs_as_messages(messages.writer, formatter):
            _logger.critical(error, exc_info=error)
        messages.trace(Failure(_UNEXPECTED, str(error), "system_error", error))

    sys.excepthook = report


@dataclass(frozen=True)
class Messages:
    """Writes the messages of one command, with masked keys and escaped control characters."""

    writer: LineWriter
    secrets: SecretFilter
    clock: Clock

    def write(self, message: Mapping[str, Any]) -> None:
        self.writer.write(line_of(message))

    def fail(self, failure: Failure) -> None:
        """Write that the check failed."""
        self.write(failed_message(self._text(failure.message)))

    def trace(self, failure: Failure) -> None:
        stack = "".join(traceback.TracebackException.from_exception(failure.error).format())
        error = {
            "message": self._text(failure.message),
            "internal_message": self._text(failure.internal_message),
            "stack_trace": self._text(without_addresses(stack)),
            "failure_type": failure.failure_type,
        }
        self.write(trace_message(error, int(self.clock.now().timestamp() * 1000)))

    def _text(self, text: str) -> str:
        return printable_lines(self.secrets.mask(text))


class _Command:
    """One run of a command."""

    def __init__(
        self,
        options: argparse.Namespace,
        connection: Connection,
        messages: Messages,
        terminal: Terminal,
        stop: threading.Event,
    ) -> None:
        self._options = options
        self._connection = connection
        self._messages = messages
        self._terminal = terminal
        self._stop = stop
        self._keys: Keys | None = None
        self._outlook: Outlook | None = None

    def run(self, reporter: ConsoleReporter) -> int:
        """Write the messages, print the result on the terminal, and return the exit code."""
        _status_logger.debug("Debug logs enabled")
        if self._options.command == "spec":
            self._messages.writer.write(spec_line())
            return EXIT_OK
        is_check = self._options.command == "check"
        try:
            raw = read_raw_config(self._options.config)
            require_temporary_folder()
            problem = self._check(raw) if is_check else self._discover(raw)
        except AmplitudeError as error:
            failure = failure_of(error, self._messages.secrets.mask, self._keys)
            problem = failure.message
            if not self._terminal.both_are_terminals:
                self._messages.trace(failure)
        if is_check:
            reporter.end_check(problem, self._outlook)
        elif problem:
            reporter.print_error(problem)
        return EXIT_FAILED if problem else EXIT_OK

    def _check(self, raw: Mapping[str, Any]) -> str:
        """Write the result of ``check``, and return the problem, if any."""
        mask = self._messages.secrets.mask
        try:
            config = self._parsed(raw)
        except AmplitudeError as error:
            failure = failure_of(error, mask)
            self._messages.fail(failure)
            return failure.message
        try:
            self._connection.check(config, self._stop)
        except AmplitudeError as error:
            failure = check_failure(error, mask, config.keys)
            self._messages.trace(failure)
            if failure.failure_type == "config_error":
                self._messages.fail(failure)
            return failure.message
        self._outlook = self._connection.log_outlook(config)
        _status_logger.info("Check succeeded")
        self._messages.write(succeeded_message())
        return ""

    def _discover(self, raw: Mapping[str, Any]) -> str:
        """Write the catalog, and return an empty text; raise an AmplitudeError if the configuration is invalid."""
        self._connection.open(self._parsed(raw))
        if self._options.configured:
            catalog = configured_catalog(self._options.streams)
            self._messages.writer.write(f"{json.dumps(catalog, indent=2)}\n")
        else:
            self._messages.write(catalog_message(catalog_streams()))
        return ""

    def _parsed(self, raw: Mapping[str, Any]) -> Config:
        self._messages.secrets.register(raw)
        config = parse_config(raw)
        self._keys = config.keys
        return config
