"""The events stream: raw events from Amplitude's Export API.

It yields dicts for any Airbyte host, or encoded RECORD lines for the launcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, ConfiguredAirbyteStream, SyncMode, Type
from airbyte_cdk.sources.streams import CheckpointMixin, Stream

from source_amplitude.airbyte.catalog import EVENTS
from source_amplitude.airbyte.streams.events_sync import EventsSync, SavePoint
from source_amplitude.airbyte.streams.record_lines import SerializedRecords, record_lines, record_suffix
from source_amplitude.encoding import (
    Encoded,
    ProcessPoolEncoder,
    SerialEncoder,
    encode_line_by_line,
    usable_processors,
)
from source_amplitude.export import ProgressListener
from source_amplitude.ledger import CURSOR_FIELD

if TYPE_CHECKING:
    import logging
    import threading
    from collections.abc import Iterable, Mapping, MutableMapping

    from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
    from airbyte_cdk.sources.streams.core import StreamData
    from airbyte_cdk.sources.utils.schema_helpers import InternalConfig
    from airbyte_cdk.sources.utils.slice_logger import SliceLogger

    from source_amplitude.encoding import Encoding
    from source_amplitude.export import Amplitude
    from source_amplitude.records import Record

_MOST_PROCESSES = 4
"""Each process takes memory, and one process unpacks and writes for all; more than two did not help when measured."""


class Events(CheckpointMixin, Stream):
    """All events of a project without duplicates, incremental by the hour of ``server_upload_time``.

    `ledger.saved` defines the format of the state.

    Args:
        stop: Once set, the sync ends soon with a final state.
        serialize: Whether records are yielded as `SerializedRecords`.
    """

    name = EVENTS.name
    primary_key = list(EVENTS.primary_key)  # noqa: RUF012 - the CDK's attribute
    cursor_field = CURSOR_FIELD
    source_defined_cursor = True

    def __init__(
        self,
        amplitude: Amplitude,
        *,
        stop: threading.Event,
        serialize: bool = False,
        listener: ProgressListener | None = None,
    ) -> None:
        self._amplitude = amplitude
        self._stop = stop
        self._serialize = serialize
        self._listener = listener or ProgressListener()
        self._state: MutableMapping[str, Any] = {}

    @property
    def state(self) -> MutableMapping[str, Any]:
        return self._state

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = value

    def read_records(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 - the CDK's signature
        """Raise NotImplementedError: `read` plans windows as responses arrive, so there are no CDK slices."""
        raise NotImplementedError("read events through Stream.read")

    def read(
        self,
        configured_stream: ConfiguredAirbyteStream,
        logger: logging.Logger,  # noqa: ARG002 - the CDK's signature
        slice_logger: SliceLogger,  # noqa: ARG002 - as above
        stream_state: MutableMapping[str, Any],
        state_manager: ConnectorStateManager,
        internal_config: InternalConfig,  # noqa: ARG002 - as above
    ) -> Iterable[StreamData | AirbyteMessage]:
        """Yield the records that the state does not cover, and states between them.

        Raises:
            AirbyteTracedException: Some hours could not be read; raised after the last state.
        """
        encoding: Encoding[Any] = self._record_lines() if self._serialize else SerialEncoder(encode_records)
        state = self._state or stream_state
        sync = EventsSync(self._amplitude, state, encoding, stop=self._stop, listener=self._listener)
        for step in sync.run(is_full_refresh=configured_stream.sync_mode == SyncMode.full_refresh):
            if isinstance(step, SavePoint):
                self._state = dict(step.state)
                yield self._checkpoint_state(step.state, state_manager)
            elif self._serialize:
                # The batch passes through the CDK's stream loop as one record.
                record = AirbyteRecordMessage(stream=self.name, data={}, emitted_at=0)
                yield SerializedRecords(type=Type.RECORD, record=record, payload=step.payload, records=step.records)
            else:
                yield from step.payload

    def _record_lines(self) -> Encoding[bytes]:
        amplitude = self._amplitude
        return ProcessPoolEncoder(
            record_lines(self.name),
            lambda: record_suffix(int(amplitude.clock.now().timestamp() * 1000)),
            amplitude.config.num_processes or min(usable_processors(), _MOST_PROCESSES),
            amplitude.limits.processes_after_bytes,
        )


def encode_records(body: bytes) -> Encoded[list[Record]]:
    """Return the records in ``body``, one per line; ignore blank lines."""
    return encode_line_by_line(body, lambda record: record)
