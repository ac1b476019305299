"""One of Airbyte's commands from its options to its exit code: messages on stdout, words for a person on stderr."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import IO, TYPE_CHECKING, cast

from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude.airbyte.entrypoint import Entrypoint
from source_amplitude.airbyte.failures import traced
from source_amplitude.airbyte.input_files import InputFiles
from source_amplitude.airbyte.output import LineWriter, logs_to
from source_amplitude.airbyte.state_file import StateFile
from source_amplitude.disk import require_temporary_folder
from source_amplitude.errors import AmplitudeError
from source_amplitude.terminal.narrator import Narrator, Person, ReadCommand
from source_amplitude.terminal.signals import EXIT_SIGNALLED, ends_on_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from source_amplitude.airbyte.source import SourceAmplitude

EXIT_OK, EXIT_FAILED = 0, 1

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
    person = Person.of(os.environ)
    source.audience = narrator = Narrator(person, source.stop)
    writer = LineWriter(sys.stdout.buffer)
    writer.widen_pipe()
    with redirect_stdout(cast("IO[str]", writer)), logs_to(writer), ends_on_signals(source.stop) as received:
        try:
            code = _launch(source, options, writer, person, narrator)
        finally:
            narrator.close()
    if received == [signal.SIGTERM] and options.command != "read" and code == EXIT_OK:
        return code  # PyAirbyte ends a check as soon as it has read the answer, and complains of any code but 0 and -15
    return EXIT_SIGNALLED + received[0] if received else code


def _launch(
    source: SourceAmplitude, options: argparse.Namespace, stdout: LineWriter, person: Person, narrator: Narrator
) -> int:
    if person.is_alone:
        _logger.setLevel(logging.WARNING)  # until the command begins: what the CDK says of itself helps nobody
    is_check = options.command == "check"
    writer = LineWriter(io.BytesIO()) if is_check and person.is_alone and not options.debug else stdout
    entrypoint = Entrypoint(source, writer, narrator)
    code = EXIT_OK
    try:
        with _traced(), _held(getattr(options, "state_file", None)) as state_file, logs_to(writer):
            _run(entrypoint, options, writer, state_file)
    except AirbyteTracedException as error:
        code = EXIT_FAILED
        # The CDK sums up failed streams in an error of its own, always as a config_error; the streams' own TRACEs have
        # said it better.
        if not entrypoint.complaints:
            entrypoint.complaints.append(error.message or str(error))
            if not is_check:
                narrator.complain(entrypoint.complaints[0])
            if not person.is_alone:
                writer.write(Entrypoint.airbyte_message_to_string(error.as_sanitized_airbyte_message()) + "\n")
    if is_check:
        narrator.end_check("" if code == EXIT_OK and not entrypoint.check_failed else entrypoint.complaints[-1])
    if options.command == "read":
        keeps_state = options.state_file is not None
        command = ReadCommand(options.typed, keeps_state, stdout.file_name(), frozenset(entrypoint.refreshed))
        narrator.end_read(command, goes_on=entrypoint.goes_on)
    return EXIT_FAILED if entrypoint.check_failed else code


def _run(entrypoint: Entrypoint, options: argparse.Namespace, writer: LineWriter, state_file: StateFile | None) -> None:
    files = None if options.command == "spec" else InputFiles.read(options)
    if files is not None and state_file is not None:
        files = replace(files, state=state_file.given)
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
            state_file.put_back()
        raise


@contextmanager
def _traced() -> Iterator[None]:
    """Let our errors leave as those that Airbyte knows."""
    try:
        yield
    except AmplitudeError as error:
        raise traced(error) from error


@contextmanager
def _held(path: str | None) -> Iterator[StateFile | None]:
    if path is None:
        yield None
        return
    with StateFile(path).held() as state_file:
        yield state_file
