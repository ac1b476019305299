"""One of Airbyte's commands from its options to its exit code: messages on stdout, words for a person on stderr.

The CDK turns one record after another into a message, a dict, a text and a print, 12 microseconds each (cdk.md part
3). Here batches of bytes pass through the same stream loop as one message and are written as they are; everything
else takes the CDK's own way.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections import defaultdict
from contextlib import nullcontext, redirect_stdout
from typing import IO, TYPE_CHECKING, Any, cast

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import is_platform_debug_log_enabled
from airbyte_cdk.models import AirbyteStreamStatus, Status, SyncMode, Type
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor
from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude.airbyte.failures import tracing
from source_amplitude.airbyte.input_files import InputFiles
from source_amplitude.airbyte.output import LineWriter, logs_to, widen_pipe
from source_amplitude.airbyte.state_file import StateFile
from source_amplitude.airbyte.streams import SerializedRecords
from source_amplitude.disk import require_temporary_folder
from source_amplitude.exit_codes import EXIT_FAILED, EXIT_OK, EXIT_SIGNALLED
from source_amplitude.terminal.console import ConsoleReporter, ReadCommand, Terminal
from source_amplitude.terminal.signals import ends_on_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteCatalog, ConnectorSpecification

    from source_amplitude.airbyte.source import SourceAmplitude

_STATE_LINE = '{"type":"STATE"'

_logger = logging.getLogger("airbyte")


def launch(source: SourceAmplitude, options: argparse.Namespace) -> int:
    """Run one of Airbyte's commands and return the process's exit code.

    A person at a terminal reads on stderr what becomes of it; Airbyte's messages go to stdout all the same, unless the
    person is the only one who reads that: then a failure is told once.

    ``check`` ends with 1 when there is no connection, beside the status message that Airbyte reads, so that a shell
    script notices too. A read that is asked to end (SIGTERM, Ctrl-C) ends with a last state and 128 plus the signal;
    other commands answer all the same, and SIGTERM does not make a failure of an answer.
    """
    terminal = Terminal.of(os.environ)
    source.listener = reporter = ConsoleReporter(terminal, source.stop)
    writer = LineWriter(sys.stdout.buffer)
    widen_pipe(sys.stdout.buffer)
    with redirect_stdout(cast("IO[str]", writer)), logs_to(writer), ends_on_signals(source.stop) as received:
        try:
            code = _launch(source, options, writer, terminal, reporter)
        finally:
            reporter.close()
    if received == [signal.SIGTERM] and options.command != "read" and code == EXIT_OK:
        return code  # PyAirbyte ends a check as soon as it has read the answer, and complains of any code but 0 and -15
    return EXIT_SIGNALLED + received[0] if received else code


def _launch(
    source: SourceAmplitude,
    options: argparse.Namespace,
    stdout: LineWriter,
    terminal: Terminal,
    reporter: ConsoleReporter,
) -> int:
    if terminal.shows_all_output:
        _logger.setLevel(logging.WARNING)  # until the command begins: what the CDK says of itself is no help
    is_check = options.command == "check"
    state_path = getattr(options, "state_file", None)
    writer = LineWriter(io.BytesIO()) if is_check and terminal.shows_all_output and not options.debug else stdout
    entrypoint = Entrypoint(source, writer, reporter)
    code = EXIT_OK
    try:
        with (
            tracing(),
            nullcontext() if state_path is None else StateFile(state_path).held() as state_file,
            logs_to(writer),
        ):
            _run(entrypoint, options, writer, state_file)
    except AirbyteTracedException as error:
        code = EXIT_FAILED
        # The CDK sums up failed streams in an error of its own, always as a config_error; the streams' own TRACEs have
        # said it better.
        if not entrypoint.problems:
            entrypoint.problems.append(error.message or str(error))
            if not is_check:
                reporter.print_error(entrypoint.problems[0])
            if not terminal.shows_all_output:
                writer.write(Entrypoint.airbyte_message_to_string(error.as_sanitized_airbyte_message()) + "\n")
    if is_check:
        reporter.end_check("" if code == EXIT_OK and not entrypoint.check_failed else entrypoint.problems[-1])
    if options.command == "read":
        refreshed = frozenset(entrypoint.refreshed)
        command = ReadCommand(options.typed, state_path is not None, stdout.file_name(), refreshed)
        reporter.end_read(command, goes_on=entrypoint.goes_on)
    return EXIT_FAILED if entrypoint.check_failed else code


def _run(entrypoint: Entrypoint, options: argparse.Namespace, writer: LineWriter, state_file: StateFile | None) -> None:
    files = None if options.command == "spec" else InputFiles.read(options, state_file.given if state_file else None)
    require_temporary_folder()
    try:
        for line in entrypoint.run(options) if files is None else entrypoint.run_on(options, files):
            writer.write(f"{line}\n")
            if state_file is not None:
                if line.startswith(_STATE_LINE):
                    writer.keep()
                    state_file.note(line)
                state_file.forget(entrypoint.refreshed)
    except BrokenPipeError:
        if state_file is not None:
            state_file.restore()
        raise


class Entrypoint(AirbyteEntrypoint):
    """The CDK's, but for how records leave and how configurations are checked.

    Attributes:
        check_failed: Whether ``check`` ended without a connection.
        complaints: Why the command fails, as TRACEs and the status of the connection have said.
        goes_on: Whether a read printed states that a next one can go on from.
        refreshed: Streams whose full refresh is complete; its state would keep the next one from reading anything.
    """

    def __init__(self, source: SourceAmplitude, writer: LineWriter, reporter: ConsoleReporter) -> None:
        super().__init__(source)
        source.serialize_records = True
        self._writer = writer
        self._narrator = reporter
        self._validate = source.validate
        self.check_failed = False
        self.problems: list[str] = []
        self.goes_on = False
        self.refreshed: set[str] = set()

    def run_on(self, options: argparse.Namespace, files: InputFiles) -> Iterator[str]:
        """Yield the lines of ``check``, ``discover`` or ``read``, as `run` does, without reading a file again."""
        self.logger.setLevel(logging.INFO)
        if options.debug or is_platform_debug_log_enabled():
            for each in (self.logger, logging.getLogger("airbyte")):
                each.setLevel(logging.DEBUG)
        spec = self.source.spec(self.logger)
        try:
            for message in self._answer(options.command, spec, files):
                yield self.airbyte_message_to_string(message)
        finally:
            for message in self._emit_queued_messages(self.source):
                yield self.airbyte_message_to_string(message)

    def _answer(self, command: str, spec: ConnectorSpecification, files: InputFiles) -> Iterable[AirbyteMessage]:
        if command == "check":
            return self.check(spec, files.config)
        if files.catalog is not None:
            return self.read(spec, files.config, files.catalog, files.state)
        return self.discover(spec, files.config)

    def check(self, source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> Iterable[AirbyteMessage]:
        for message in super().check(source_spec, config):
            status = message.connectionStatus
            if status is not None and status.status is Status.FAILED:
                self.check_failed = True
                self.problems.append(status.message or "")
            self._note_complaint(message)
            yield message

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
            if isinstance(message, SerializedRecords):
                self._writer.write_bytes(message.payload)
                if message.record is not None:
                    counts[HashableStreamDescriptor(name=message.record.stream, namespace=None)] += message.records
            else:
                self._narrate(message, incremental)
                self.goes_on |= bool(incremental) and message.type is Type.STATE
                yield self.handle_record_counts(message, counts)
            self._memory_monitor.check_memory_usage()

    def validate_connection(self, source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # type: ignore[override] # noqa: ARG002
        """Report every problem of the configuration at once, by field; the CDK's check stops at the first."""
        self._validate(config)

    def set_up_secret_filter(self, config: Mapping[str, Any], connection_specification: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Do nothing: `validate_connection`, which follows, hides the keys in every form that they could appear in."""

    def _note_complaint(self, message: AirbyteMessage) -> None:
        if message.trace is not None and message.trace.error is not None:
            self.problems.append(message.trace.error.message)

    def _narrate(self, message: AirbyteMessage, incremental: AbstractSet[str]) -> None:
        """Tell a person what a message of a read says to Airbyte."""
        self._note_complaint(message)
        trace = message.trace
        if message.record is not None:
            self._narrator.count(message.record.stream)
        elif trace is not None and trace.error is not None:
            stream = trace.error.stream_descriptor
            self._narrator.print_error(trace.error.message, stream.name if stream else "")
        elif trace is not None and trace.stream_status is not None:
            name, status = trace.stream_status.stream_descriptor.name, trace.stream_status.status
            if status is AirbyteStreamStatus.STARTED:
                self._narrator.begin_stream(name)
            elif status is not AirbyteStreamStatus.RUNNING:
                is_complete = status is AirbyteStreamStatus.COMPLETE
                self._narrator.end_stream(name, is_complete=is_complete)
                self.refreshed |= {name} - incremental if is_complete else set()
