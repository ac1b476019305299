"""The CDK's entrypoint with a batch path: finished RECORD lines go straight to stdout.

The CDK turns one record after another into a message, a dict, a text and a print, 12 microseconds each (cdk.md part
3). Here batches of bytes pass through the same stream loop as one message and are written as they are; everything
else takes the CDK's own way. Lines of all kinds leave through one writer, so none is cut or overtaken.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import defaultdict
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteMessage, Status
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor
from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude.errors import InvalidConfigError
from source_amplitude.failures import traced
from source_amplitude.source import SourceAmplitude, hide_keys
from source_amplitude.streams import SerializedRecords

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airbyte_cdk.models import ConfiguredAirbyteCatalog, ConnectorSpecification

EXIT_OK, EXIT_FAILED = 0, 1


class LineWriter:
    """Writes whole lines to a binary stream at once; a stand-in for ``sys.stdout`` in all threads."""

    encoding = "utf-8"

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def write_bytes(self, lines: bytes) -> None:
        """Write complete lines and hand them to the operating system."""
        with self._lock:
            self._out.write(lines)
            self._out.flush()

    def write(self, text: str) -> int:
        """Write text as UTF-8; a lone surrogate becomes a question mark."""
        self.write_bytes(text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is handed on at once."""


class LogWriter:
    """Where log lines go: to a `LineWriter`, in silence once its reader has gone away.

    The command itself ends at its next message; logging would print a traceback for each line until then.
    """

    def __init__(self, lines: LineWriter) -> None:
        self._lines = lines

    def write(self, text: str) -> None:
        """Write a whole log line."""
        with suppress(BrokenPipeError):
            self._lines.write(text)

    def flush(self) -> None:
        """Do nothing, as `LineWriter.flush`."""


class Entrypoint(AirbyteEntrypoint):
    """Runs one command; differs from the CDK's in how records leave and how configurations are checked.

    Attributes:
        check_failed: Whether ``check`` ended without a connection.
    """

    def __init__(self, source: SourceAmplitude, writer: LineWriter) -> None:
        super().__init__(source)
        source.serialize_records = True
        self._writer = writer
        self._parse = source.parse
        self.check_failed = False

    def check(self, source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> Iterable[AirbyteMessage]:
        """Yield the CDK's messages for ``check`` and note how it ended."""
        for message in super().check(source_spec, config):
            status = message.connectionStatus
            self.check_failed = self.check_failed or (status is not None and status.status is Status.FAILED)
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
        counts: defaultdict[HashableStreamDescriptor, float] = defaultdict(float)
        for message in self.source.read(self.logger, config, catalog, state):
            if isinstance(message, SerializedRecords):
                self._writer.write_bytes(message.payload)
                if message.record is not None:
                    counts[HashableStreamDescriptor(name=message.record.stream, namespace=None)] += message.records
            else:
                yield self.handle_record_counts(message, counts)
            self._memory_monitor.check_memory_usage()

    def validate_connection(self, source_spec: ConnectorSpecification, config: Mapping[str, Any]) -> None:  # type: ignore[override] # noqa: ARG002
        """Report every problem of the configuration at once, by field; the CDK's check stops at the first."""
        self._parse(config)

    def set_up_secret_filter(self, config: Mapping[str, Any], connection_specification: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Hide the keys as the CDK does, and every other form they could appear in."""
        super().set_up_secret_filter(config, connection_specification)
        hide_keys(config)


def launch(source: SourceAmplitude, args: list[str]) -> int:
    """Run one of Airbyte's commands and return the process's exit code.

    ``check`` ends with 1 when there is no connection, beside the status message that Airbyte reads, so that a shell
    script notices too.
    """
    writer = LineWriter(sys.stdout.buffer)
    with redirect_stdout(cast("IO[str]", writer)), _logs_to(writer):
        return _launch(source, args, writer)


def _launch(source: SourceAmplitude, args: list[str], writer: LineWriter) -> int:
    entrypoint = Entrypoint(source, writer)
    parsed = entrypoint.parse_args(args)
    try:
        for option in ("config", "catalog", "state"):
            _require_json(option, getattr(parsed, option, None))
        for line in entrypoint.run(parsed):
            writer.write(f"{line}\n")
    except AirbyteTracedException as error:
        writer.write(_line(error.as_sanitized_airbyte_message()))
        return EXIT_FAILED
    return EXIT_FAILED if entrypoint.check_failed else EXIT_OK


def _require_json(option: str, path: str | None) -> None:
    """Raise a readable error for a file that is not there or is no JSON; the CDK's own would be a traceback."""
    if path is None:
        return
    try:
        json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"--{option}: {path} cannot be read ({error.strerror})"
    except ValueError as error:
        problem = f"--{option}: {path} is no JSON ({error})"
    else:
        return
    raise traced(InvalidConfigError((problem,)))


def _line(message: AirbyteMessage) -> str:
    return AirbyteEntrypoint.airbyte_message_to_string(message) + "\n"


@contextmanager
def _logs_to(writer: LineWriter) -> Iterator[None]:
    """Make log lines take the same way as messages: the CDK's handler buffers them for a tenth of a second."""
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    streams = [handler.setStream(LogWriter(writer)) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            if stream is not None:
                handler.setStream(stream)
