"""The CDK's entrypoint with a batch path: finished RECORD lines go straight to stdout.

The CDK turns one record after another into a message, a dict, a text and a print, 12 microseconds each (cdk.md part
3). Here batches of bytes pass through the same stream loop as one message and are written as they are; everything
else takes the CDK's own way.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import is_platform_debug_log_enabled
from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus, Status, SyncMode, Type
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor

from source_amplitude.airbyte.source import SourceAmplitude, hide_keys
from source_amplitude.airbyte.streams import SerializedRecords

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from airbyte_cdk.models import ConfiguredAirbyteCatalog, ConnectorSpecification

    from source_amplitude.airbyte.input_files import InputFiles
    from source_amplitude.airbyte.output import LineWriter
    from source_amplitude.terminal.narrator import Narrator


class Entrypoint(AirbyteEntrypoint):
    """Runs one command; differs from the CDK's in how records leave and how configurations are checked.

    Args:
        source: What is read.
        writer: Stdout.
        narrator: Tells a person of a read.

    Attributes:
        check_failed: Whether ``check`` ended without a connection.
        complaints: Why the command fails, as TRACEs and the status of the connection have said.
        goes_on: Whether a read printed states that a next one can go on from.
        refreshed: Streams whose full refresh is complete; its state would keep the next one from reading anything.
    """

    def __init__(self, source: SourceAmplitude, writer: LineWriter, narrator: Narrator) -> None:
        super().__init__(source)
        source.serialize_records = True
        self._writer = writer
        self._narrator = narrator
        self._parse = source.parse
        self.check_failed = False
        self.complaints: list[str] = []
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
        """Yield the CDK's messages for ``check`` and note how it ended."""
        for message in super().check(source_spec, config):
            status = message.connectionStatus
            if status is not None and status.status is Status.FAILED:
                self.check_failed = True
                self.complaints.append(status.message or "")
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
        self._parse(config)

    def set_up_secret_filter(self, config: Mapping[str, Any], connection_specification: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Hide the keys as the CDK does, and every other form they could appear in."""
        super().set_up_secret_filter(config, connection_specification)
        hide_keys(config)

    def _note_complaint(self, message: AirbyteMessage) -> None:
        if message.trace is not None and message.trace.error is not None:
            self.complaints.append(message.trace.error.message)

    def _narrate(self, message: AirbyteMessage, incremental: AbstractSet[str]) -> None:
        """Tell a person what a message of a read says to Airbyte."""
        self._note_complaint(message)
        trace = message.trace
        if message.record is not None:
            self._narrator.count(message.record.stream)
        elif trace is not None and trace.error is not None:
            stream = trace.error.stream_descriptor
            self._narrator.complain(trace.error.message, stream.name if stream else "")
        elif trace is not None and trace.stream_status is not None:
            name, status = trace.stream_status.stream_descriptor.name, trace.stream_status.status
            if status is AirbyteStreamStatus.STARTED:
                self._narrator.begin_stream(name)
            elif status is not AirbyteStreamStatus.RUNNING:
                is_complete = status is AirbyteStreamStatus.COMPLETE
                self._narrator.end_stream(name, is_complete=is_complete)
                self.refreshed |= {name} - incremental if is_complete else set()
