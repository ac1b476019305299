"""Run ``read``: messages on stdout, status for users on stderr, and an exit code. `answers` runs the other commands.

The CDK serializes records one by one, about 12 microseconds each. Here a batch of encoded records passes through the
CDK's stream loop as one message, and its bytes are written unchanged. All other messages are serialized by the CDK.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import defaultdict
from contextlib import nullcontext, redirect_stdout, suppress
from typing import IO, TYPE_CHECKING, Any, cast

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import is_platform_debug_log_enabled
from airbyte_cdk.models import AirbyteStreamStatus, SyncMode, Type
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor
from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude.airbyte.cdk_output import escape_message, logs_to
from source_amplitude.airbyte.input_files import InputFiles
from source_amplitude.airbyte.output import LineWriter, widen_pipe
from source_amplitude.airbyte.state_file import StateFile
from source_amplitude.airbyte.streams import SerializedRecords
from source_amplitude.airbyte.traced import tracing
from source_amplitude.disk import require_temporary_folder
from source_amplitude.terminal.console import ConsoleReporter, ReadCommand, Terminal
from source_amplitude.terminal.exit_codes import EXIT_FAILED, EXIT_OK, EXIT_SIGNALLED
from source_amplitude.terminal.signals import stops_on_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteCatalog, ConnectorSpecification

    from source_amplitude.airbyte.source import SourceAmplitude

_STATE_LINE = '{"type":"STATE"'

_logger = logging.getLogger("airbyte")


def launch(source: SourceAmplitude, options: argparse.Namespace) -> int:
    """Run ``read`` and return the process's exit code.

    Status is printed on stderr if it is a terminal. Airbyte messages go to stdout; if both are terminals, a failure is
    printed only once. After SIGTERM or Ctrl-C, the last message is a state, and the exit code is 128 plus the signal
    number.
    """
    terminal = Terminal.of(os.environ)
    source.listener = reporter = ConsoleReporter(terminal, source.stop)
    writer = LineWriter(sys.stdout.buffer)
    widen_pipe(sys.stdout.buffer)
    with redirect_stdout(cast("IO[str]", writer)), logs_to(writer), stops_on_signals(source.stop) as received:
        try:
            code = _launch(source, options, writer, terminal, reporter)
        finally:
            reporter.close()
    return EXIT_SIGNALLED + received[0] if received else code


def _launch(
    source: SourceAmplitude,
    options: argparse.Namespace,
    writer: LineWriter,
    terminal: Terminal,
    reporter: ConsoleReporter,
) -> int:
    if terminal.both_are_terminals:
        _logger.setLevel(logging.WARNING)  # hides the CDK's start-up messages; the command resets it
    state_path = options.state_file
    entrypoint = Entrypoint(source, writer, reporter)
    code = EXIT_OK
    try:
        with (
            tracing(),
            nullcontext() if state_path is None else StateFile(state_path).locked() as state_file,
            logs_to(writer),
        ):
            _run(entrypoint, options, writer, state_file)
    except AirbyteTracedException as error:
        code = EXIT_FAILED
        # The CDK also raises a config_error that sums up failed streams; each stream has already reported its error.
        if not entrypoint.has_problem:
            reporter.print_error(error.message or str(error))
            if not terminal.both_are_terminals:
                writer.write(_line_of(error.as_sanitized_airbyte_message()) + "\n")
    refreshed = frozenset(entrypoint.refreshed)
    command = ReadCommand(options.typed, state_path is not None, writer.file_name(), refreshed)
    reporter.end_read(command, has_state=entrypoint.has_state)
    return code


def _run(entrypoint: Entrypoint, options: argparse.Namespace, writer: LineWriter, state_file: StateFile | None) -> None:
    files = InputFiles.read(options, state_file.initial if state_file else None)
    require_temporary_folder()
    try:
        for line in entrypoint.run_on(files, is_debug=options.debug):
            writer.write(f"{line}\n")
            if state_file is not None:
                if line.startswith(_STATE_LINE):
                    writer.fsync()
                    state_file.update(line)
                state_file.discard(entrypoint.refreshed)
    except BrokenPipeError:
        if state_file is not None:
            state_file.restore()
        raise


def _line_of(message: AirbyteMessage) -> str:
    return AirbyteEntrypoint.airbyte_message_to_string(escape_message(message))


class Entrypoint(AirbyteEntrypoint):
    """The CDK's entrypoint with batched record output and the connector's own configuration checks.

    Attributes:
        has_problem: Whether an error has been printed, in a TRACE message.
        has_state: Whether ``read`` printed a state that an incremental read can continue from.
        refreshed: Streams whose full refresh is complete. Their states must be discarded, or the next refresh would
            read nothing.
    """

    def __init__(self, source: SourceAmplitude, writer: LineWriter, reporter: ConsoleReporter) -> None:
        super().__init__(source)
        source.serialize_records = True
        source.rate_limits.write = self._write_status
        self._rate_limits = source.rate_limits
        self._writer = writer
        self._reporter = reporter
        self._validate = source.validate
        self.has_problem = False
        self.has_state = False
        self.refreshed: set[str] = set()

    def run_on(self, files: InputFiles, *, is_debug: bool) -> Iterator[str]:
        """Yield the lines of ``read``; unlike `run`, read no file again."""
        self.logger.setLevel(logging.INFO)
        if is_debug or is_platform_debug_log_enabled():
            for each in (self.logger, logging.getLogger("airbyte")):
                each.setLevel(logging.DEBUG)
        spec = self.source.spec(self.logger)
        try:
            for message in self.read(spec, files.config, files.catalog, files.state):
                yield _line_of(message)
        finally:
            for message in self._emit_queued_messages(self.source):
                yield _line_of(message)

    def read(
        self,
        source_spec: ConnectorSpecification,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[Any],
    ) -> Iterable[AirbyteMessage]:
        """Write serialized records and yield every other message."""
        self.set_up_secret_filter(config, source_spec.connectionSpecification)
        self.validate_connection(source_spec, config)
        incremental = {each.stream.name for each in catalog.streams if each.sync_mode is SyncMode.incremental}
        counts: defaultdict[HashableStreamDescriptor, float] = defaultdict(float)
        for message in self.source.read(self.logger, config, catalog, state):
            records = 1
            if isinstance(message, SerializedRecords):
                records = message.records
                self._writer.write_bytes(message.payload)
                if message.record is not None:
                    counts[HashableStreamDescriptor(name=message.record.stream, namespace=None)] += message.records
            else:
                self._report(message, incremental)
                self.has_state |= bool(incremental) and message.type is Type.STATE
                yield self.handle_record_counts(message, counts)
            for _ in range(max(1, records)):  # the monitor looks at the memory every 5,000 calls
                self._memory_monitor.check_memory_usage()

    def validate_connection(self, source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # type: ignore[override] # noqa: ARG002
        """Report all configuration problems at once; the CDK's own check stops at the first."""
        self._validate(config)

    def set_up_secret_filter(self, config: Mapping[str, Any], connection_specification: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Do nothing: `validate_connection` registers all forms of the keys with the secret filter."""

    def _write_status(self, message: AirbyteMessage) -> None:
        """Write a status at once, from any thread; if writing fails, the next message of ``read`` ends the command."""
        with suppress(OSError):
            self._writer.write(f"{_line_of(message)}\n")
        status = message.trace.stream_status if message.trace else None
        if status is not None and status.reasons:
            self._reporter.begin_wait(status.stream_descriptor.name, self._rate_limits.waits)
        else:
            self._reporter.end_wait()

    def _report(self, message: AirbyteMessage, incremental: AbstractSet[str]) -> None:
        """Report the progress and errors in a message of ``read`` on the terminal."""
        trace = message.trace
        if message.record is not None:
            self._reporter.count(message.record.stream)
        elif trace is not None and trace.error is not None:
            self.has_problem = True
            stream = trace.error.stream_descriptor
            self._reporter.print_error(trace.error.message, stream.name if stream else "")
        elif trace is not None and trace.stream_status is not None:
            name, status = trace.stream_status.stream_descriptor.name, trace.stream_status.status
            if status is AirbyteStreamStatus.STARTED:
                self._reporter.begin_stream(name)
            elif status is not AirbyteStreamStatus.RUNNING:
                is_complete = status is AirbyteStreamStatus.COMPLETE
                self._reporter.end_stream(name, is_complete=is_complete)
                self.refreshed |= {name} - incremental if is_complete else set()
