"""The CDK's entrypoint with a batch path: finished RECORD lines go straight to stdout.

The CDK turns one record after another into a message, a dict, a text and a print, 12 microseconds each (cdk.md part
3). Here batches of bytes pass through the same stream loop as one message and are written as they are; everything
else takes the CDK's own way.
"""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import signal
import sys
import tempfile
from collections import defaultdict
from contextlib import contextmanager, redirect_stdout, suppress
from typing import IO, TYPE_CHECKING, Any, cast

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteMessage, Status
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor
from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude.errors import AmplitudeError, DiskFullError
from source_amplitude.failures import traced
from source_amplitude.input_files import require_readable
from source_amplitude.output import LineWriter, logs_to, widen_pipe
from source_amplitude.signals import EXIT_SIGNALLED, ends_on_signals
from source_amplitude.source import SourceAmplitude, hide_keys
from source_amplitude.state_file import StateFile
from source_amplitude.streams import SerializedRecords
from source_amplitude.terminal.person import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airbyte_cdk.models import ConfiguredAirbyteCatalog, ConnectorSpecification

EXIT_OK, EXIT_FAILED = 0, 1

_logger = logging.getLogger("airbyte")


class Entrypoint(AirbyteEntrypoint):
    """Runs one command; differs from the CDK's in how records leave and how configurations are checked.

    Attributes:
        check_failed: Whether ``check`` ended without a connection.
        connection: Why it did.
        explained: Whether a TRACE has said already why the command fails.
        complaints: What the TRACEs said.
    """

    def __init__(self, source: SourceAmplitude, writer: LineWriter) -> None:
        super().__init__(source)
        source.serialize_records = True
        self._writer = writer
        self._parse = source.parse
        self.check_failed = False
        self.connection = ""
        self.explained = False
        self.complaints: list[str] = []

    def check(self, source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> Iterable[AirbyteMessage]:
        """Yield the CDK's messages for ``check`` and note how it ended."""
        for message in super().check(source_spec, config):
            status = message.connectionStatus
            if status is not None and status.status is Status.FAILED:
                self.check_failed, self.connection = True, status.message or ""
            yield self._noted(message)

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
        counts: defaultdict[HashableStreamDescriptor, float] = defaultdict(float)
        for message in self.source.read(self.logger, config, catalog, state):
            if isinstance(message, SerializedRecords):
                self._writer.write_bytes(message.payload)
                if message.record is not None:
                    counts[HashableStreamDescriptor(name=message.record.stream, namespace=None)] += message.records
            else:
                yield self._noted(self.handle_record_counts(message, counts))
            self._memory_monitor.check_memory_usage()

    def validate_connection(self, source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # type: ignore[override] # noqa: ARG002
        """Report every problem of the configuration at once, by field; the CDK's check stops at the first."""
        self._parse(config)

    def set_up_secret_filter(self, config: Mapping[str, Any], connection_specification: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Hide the keys as the CDK does, and every other form they could appear in."""
        super().set_up_secret_filter(config, connection_specification)
        hide_keys(config)

    def _noted(self, message: AirbyteMessage) -> AirbyteMessage:
        if message.trace is not None and message.trace.error is not None:
            self.explained = True
            self.complaints.append(message.trace.error.message)
        return message


def launch(source: SourceAmplitude, args: list[str]) -> int:
    """Run one of Airbyte's commands and return the process's exit code.

    ``check`` ends with 1 when there is no connection, beside the status message that Airbyte reads, so that a shell
    script notices too. A read that is asked to end (SIGTERM, Ctrl-C) ends with a last state and 128 plus the signal;
    other commands answer all the same, and SIGTERM does not make a failure of an answer.
    """
    person = Person.of(os.environ)
    source.audience = person.audience_of_data()
    writer = LineWriter(sys.stdout.buffer)
    with suppress(OSError):  # not every stdout is a file of the system
        widen_pipe(sys.stdout.fileno())
    with redirect_stdout(cast("IO[str]", writer)), logs_to(writer), ends_on_signals(source.stop) as received:
        try:
            code = _launch(source, args, writer, person)
        finally:
            source.audience.close()
    if received == [signal.SIGTERM] and args[0] != "read" and code == EXIT_OK:
        return code  # PyAirbyte ends a check as soon as it has read the answer, and complains of any code but 0 and -15
    return EXIT_SIGNALLED + received[0] if received else code


def _launch(source: SourceAmplitude, args: list[str], writer: LineWriter, person: Person) -> int:
    if person.reads_stdout:
        _logger.setLevel(logging.WARNING)  # until the command begins: what the CDK says of itself helps nobody
    entrypoint = Entrypoint(source, writer)
    path, args = _state_file_option(args)
    try:
        with _held(path) as (state_file, state):
            args_with_state = [*args, *(["--state", state] if state else [])]
            if args[0] == "check" and person.reads_stdout:
                _check_for(person, entrypoint, args_with_state)
            else:
                _run(entrypoint, args_with_state, writer, state_file)
    except AirbyteTracedException as error:
        _explain(error, entrypoint, writer, person)
        return EXIT_FAILED
    if args[0] == "read" and person.reads_stderr and not source.stop.is_set():
        person.say(f"Next time, for what is new: {_next_command(args, path)}")
    return EXIT_FAILED if entrypoint.check_failed else EXIT_OK


def _explain(error: AirbyteTracedException, entrypoint: Entrypoint, writer: LineWriter, person: Person) -> None:
    """Say why a command failed: to Airbyte in a TRACE, to a person in a line for each reason."""
    # The CDK sums up failed streams in an error of its own, always as a config_error; the streams' own TRACEs have said
    # it better.
    if not entrypoint.explained:
        entrypoint.complaints.append(error.message or str(error))
        if not person.reads_stdout:
            writer.write(AirbyteEntrypoint.airbyte_message_to_string(error.as_sanitized_airbyte_message()) + "\n")
    if person.reads_stderr:
        for complaint in entrypoint.complaints:
            person.say(f"source-amplitude: {complaint}", is_bad=True)


def _next_command(args: list[str], state_file: str | None) -> str:
    """Return the command that goes on where this read ended."""
    kept = [each for number, each in enumerate(args) if "--state" not in (each, args[number - 1])]
    return shlex.join(["source-amplitude", *kept, "--state-file", state_file or "state.json"])


def _run(entrypoint: Entrypoint, args: list[str], writer: LineWriter, state_file: StateFile | None) -> None:
    parsed = entrypoint.parse_args(args)
    for option in ("config", "catalog", "state"):
        require_readable(option, getattr(parsed, option, None))
    _require_temporary_folder()
    if state_file is not None:
        state_file.load()
    for line in entrypoint.run(parsed):
        writer.write(f"{line}\n")
        if state_file is not None:
            state_file.note(line)


def _check_for(person: Person, entrypoint: Entrypoint, args: list[str]) -> None:
    """Check, and say in a line how it ended instead of printing messages."""
    with tempfile.TemporaryFile() as unread, logs_to(LineWriter(unread)):
        _run(entrypoint, args, LineWriter(unread), None)
    failed = entrypoint.check_failed
    person.say(entrypoint.connection if failed else "Amplitude accepts the keys.", is_bad=failed)


def _state_file_option(args: list[str]) -> tuple[str | None, list[str]]:
    """Return the value of ``--state-file``, which the CDK does not know, and the other arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--state-file")
    found, rest = parser.parse_known_args(args)
    if found.state_file and any(each.partition("=")[0] == "--state" for each in rest):
        parser.error("give --state or --state-file, not both")
    return found.state_file, rest


@contextmanager
def _held(path: str | None) -> Iterator[tuple[StateFile | None, str]]:
    if path is None:
        yield None, ""
        return
    state_file = StateFile(path)
    try:
        with state_file.held() as state:
            yield state_file, state
    except AmplitudeError as error:
        raise traced(error) from error


def _require_temporary_folder() -> None:
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise traced(DiskFullError("There is no folder for temporary files that can be written.")) from error
