"""The Airbyte source: builds the streams and checks the connection."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import AirbyteCatalog, AirbyteStream, SyncMode
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.message import InMemoryMessageRepository, MessageRepository
from airbyte_cdk.sources.utils.schema_helpers import split_config
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets

from source_amplitude.airbyte.catalog import catalog_streams
from source_amplitude.airbyte.connection import Connection
from source_amplitude.airbyte.failures import check_failure
from source_amplitude.airbyte.input_files import read_catalog, read_states
from source_amplitude.airbyte.rate_limits import RateLimitStatuses
from source_amplitude.airbyte.secret_filter import secret_texts
from source_amplitude.airbyte.streams import Events, MissingStream, table_stream
from source_amplitude.airbyte.traced import traced, tracing
from source_amplitude.api import CredentialCheck
from source_amplitude.api.quotas import Quotas
from source_amplitude.config import Config, parse_config
from source_amplitude.config.fields import shown, with_spelled_choices
from source_amplitude.config.file import read_raw_config
from source_amplitude.errors import AmplitudeError, InvalidStateError
from source_amplitude.export import ProgressListener
from source_amplitude.tables import TABLES
from source_amplitude.tables.rest_session import RestSession

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, MutableMapping

    from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessage, ConfiguredAirbyteCatalog
    from airbyte_cdk.sources.streams import Stream

    from source_amplitude.clock import Clock
    from source_amplitude.export import Amplitude, Limits


_MAX_NAMED = 5


class SourceAmplitude(AbstractSource):
    """Amplitude's HTTP APIs as Airbyte streams.

    Attributes:
        serialize_records: Whether the events stream yields batches of encoded lines; set by the launcher.
        stop: Once set, the read ends soon with a final state.
        listener: Receives the progress of the events stream.
        rate_limits: Reports waits for rate limits; the launcher lets it write at once.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._connection = Connection.of(limits, clock, environ)
        self._messages = InMemoryMessageRepository()
        self._validated: tuple[Mapping[str, Any], Config] | None = None
        self._read_streams: tuple[Mapping[str, Any], list[Stream]] | None = None
        self.serialize_records = False
        self.stop = threading.Event()
        self.listener = ProgressListener()
        self.rate_limits = RateLimitStatuses()

    @property
    def name(self) -> str:
        return "source-amplitude"

    @property
    def stop_sync_on_stream_failure(self) -> bool:
        """Whether the sync ends after a failed stream: only if it was asked to stop."""
        return self.stop.is_set()

    @property
    def message_repository(self) -> MessageRepository:
        """A queue per source; the CDK's default is one queue per process."""
        return self._messages

    @staticmethod
    def read_config(config_path: str) -> MutableMapping[str, Any]:
        """Return the configuration in a file, with ``${NAME}`` replaced from the environment."""
        with tracing():
            return read_raw_config(config_path)

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:  # noqa: ARG002 - the CDK's signature
        """Return the configuration with choices as in the spec; the CDK would write a copy, keys included, to disk.

        The CDK compares it with the spec, which lists each choice once.
        """
        return with_spelled_choices(config)

    def check_connection(self, logger: logging.Logger, config: Mapping[str, Any]) -> tuple[bool, None]:  # noqa: ARG002
        """Raise an AirbyteTracedException if Amplitude does not accept the keys; download no data."""
        parsed = self._parsed(config)
        try:
            self._connection.check(parsed, self.stop)
        except AmplitudeError as error:
            raise traced(check_failure(error, filter_secrets, parsed.keys)) from error
        self._connection.log_outlook(parsed)
        return True, None

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:  # noqa: ARG002 - the CDK's signature
        """Return the catalog that the command ``discover`` prints without the CDK."""
        self._open(self._parsed(config))
        return AirbyteCatalog(streams=list(map(_stream_of, catalog_streams())))

    def streams(self, config: Mapping[str, Any]) -> list[Stream]:
        """Return all streams; during `read`, return the streams that it has already built."""
        built, self._read_streams = self._read_streams, None  # a later command builds its own
        if built is not None and built[0] == config:
            return built[1]
        amplitude = self._open(self._parsed(config))
        self.rate_limits.watch(amplitude.waits)
        check = CredentialCheck(amplitude.client, amplitude.other_region)
        quotas = Quotas(amplitude.clock, self.stop, amplitude.waits)
        events = Events(amplitude, stop=self.stop, serialize=self.serialize_records, listener=self.listener)
        return [events, *(table_stream(table, RestSession(amplitude, check, quotas, self.stop)) for table in TABLES)]

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Read the catalog's streams; an unknown stream ends INCOMPLETE with its own error."""
        streams = self.streams(config)
        for name in _resumed_refreshes(streams, catalog, state or []):
            logger.warning(
                "The full refresh of %s continues from a saved state and does not emit earlier records again. "
                "Clear the stream's state to read everything.",
                name,
            )
        existing = tuple(stream.name for stream in streams)
        with tracing():
            _require_own_streams(state or [], existing)
        wanted = dict.fromkeys(configured.stream.name for configured in catalog.streams)
        missing = [MissingStream(name, existing) for name in wanted if name not in existing]
        saved = [each.stream.stream_descriptor.name for each in state or [] if each.stream]
        if state and not wanted.keys() & saved:
            logger.warning(
                "The state contains %s, but the catalog selects %s. Nothing is resumed.",
                ", ".join(saved) or "no stream",
                ", ".join(wanted),
            )
        self._read_streams = (split_config(config)[0], [*streams, *missing])
        yield from self.rate_limits.follow(super().read(logger, config, catalog, state))

    def _emit_queued_messages(self) -> Iterator[AirbyteMessage]:
        yield from super()._emit_queued_messages()
        yield from self.rate_limits.take()

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        with tracing():
            return read_catalog(catalog_path)

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """Return the states in a file, in any of the accepted formats; an empty list without a path."""
        with tracing():
            return read_states(state_path) if state_path else []

    def validate(self, raw: Mapping[str, Any]) -> Config:
        """Register the keys with the secret filter, parse the configuration, and report all problems at once.

        The parsed configuration is cached for the next command with the same object.
        """
        register_secrets(raw)
        with tracing():
            config = parse_config(raw)
        self._validated = (raw, config)
        return config

    def _parsed(self, raw: Mapping[str, Any]) -> Config:
        validated, self._validated = self._validated, None
        return validated[1] if validated is not None and validated[0] is raw else self.validate(raw)

    def _open(self, config: Config) -> Amplitude:
        with tracing(config.keys):
            return self._connection.open(config)


def _resumed_refreshes(
    streams: list[Stream], catalog: ConfiguredAirbyteCatalog, state: list[AirbyteStateMessage]
) -> list[str]:
    """Return the full-refresh streams that continue from a saved state."""
    refreshed = {each.stream.name for each in catalog.streams if each.sync_mode is SyncMode.full_refresh}
    resumable = {stream.name for stream in streams if stream.is_resumable}
    saved = {each.stream.stream_descriptor.name: each.stream.stream_state for each in state if each.stream is not None}
    return [name for name, value in saved.items() if name in refreshed & resumable and value and vars(value)]


def _require_own_streams(state: list[AirbyteStateMessage], existing: tuple[str, ...]) -> None:
    """Raise an InvalidStateError if a state belongs to a stream that this source does not have."""
    names = dict.fromkeys(each.stream.stream_descriptor.name for each in state if each.stream is not None)
    unknown = [shown(name) for name in names if name not in existing]
    if unknown:
        raise InvalidStateError(
            f"The state belongs to another source: it contains {', '.join(unknown[:_MAX_NAMED])}. The streams of this "
            f"source are {', '.join(existing)}."
        )


def _stream_of(entry: Mapping[str, Any]) -> AirbyteStream:
    modes = [SyncMode(mode) for mode in entry["supported_sync_modes"]]
    return AirbyteStream(**{**entry, "supported_sync_modes": modes})


def register_secrets(raw: Mapping[str, Any]) -> None:
    """Register every form of a raw configuration's keys with the CDK's secret filter."""
    update_secrets(secret_texts(raw))
