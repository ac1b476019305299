"""The Airbyte source: builds the streams and checks the connection."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import FailureType, SyncMode
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.message import InMemoryMessageRepository, MessageRepository
from airbyte_cdk.sources.utils.schema_helpers import split_config
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets

from source_amplitude.airbyte.failures import to_traced, tracing
from source_amplitude.airbyte.input_files import read_catalog, read_states
from source_amplitude.airbyte.streams import Events, MissingStream, table_stream
from source_amplitude.api import CredentialCheck, secret_forms
from source_amplitude.api.quotas import Quotas
from source_amplitude.clock import Clock, SystemClock
from source_amplitude.config import Config, Keys, parse_config
from source_amplitude.config.fields import shown
from source_amplitude.config.file import read_raw_config
from source_amplitude.errors import (
    AmplitudeError,
    ForeignResponseError,
    InvalidStateError,
    RetryableError,
    UnreachableError,
)
from source_amplitude.export import Amplitude, Limits, ProgressListener
from source_amplitude.tables import TABLES
from source_amplitude.tables.rest_session import RestSession

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, MutableMapping

    from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessage, ConfiguredAirbyteCatalog
    from airbyte_cdk.sources.streams import Stream


_MAX_NAMED = 5
_CHECK_SECONDS = 60  # a user waits for the result of check; a sync may wait longer


class SourceAmplitude(AbstractSource):
    """Amplitude's HTTP APIs as Airbyte streams.

    Attributes:
        serialize_records: Whether the events stream yields batches of encoded lines; set by the launcher.
        stop: Once set, the read ends soon with a final state.
        listener: Receives the progress of the events stream.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._api_url = environ.get("AMPLITUDE_API_URL")
        self._messages = InMemoryMessageRepository()
        self._validated: tuple[Mapping[str, Any], Config] | None = None
        self._read_streams: tuple[Mapping[str, Any], list[Stream]] | None = None
        self.serialize_records = False
        self.stop = threading.Event()
        self.listener = ProgressListener()

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
        """Return the configuration unchanged; the CDK would write a copy, keys included, to disk."""
        return config

    def check_connection(self, logger: logging.Logger, config: Mapping[str, Any]) -> tuple[bool, None]:  # noqa: ARG002
        """Raise an AirbyteTracedException if Amplitude does not accept the keys; download no data."""
        parsed = self._parsed(config)
        timeouts = self._limits.timeouts
        timeouts = replace(timeouts, read_seconds=min(_CHECK_SECONDS, timeouts.read_seconds))
        amplitude = self._open(parsed, replace(self._limits, timeouts=timeouts))
        try:
            amplitude.check_credentials(self.stop)
        except AmplitudeError as error:
            if isinstance(error, RetryableError | UnreachableError) and not isinstance(error, ForeignResponseError):
                error.advice = self._connection_advice()
            trace = to_traced(error, parsed.keys)
            if isinstance(error, ForeignResponseError):
                trace.failure_type = FailureType.config_error  # the CDK prints a FAILED status only for this type
            raise trace from error
        return True, None

    def streams(self, config: Mapping[str, Any]) -> list[Stream]:
        """Return all streams; during `read`, return the streams that it has already built."""
        built, self._read_streams = self._read_streams, None  # a later command builds its own
        if built is not None and built[0] == config:
            return built[1]
        amplitude = self._open(self._parsed(config), self._limits)
        check, quotas = CredentialCheck(amplitude.client, amplitude.other_region), Quotas(self._clock, self.stop)
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
        yield from super().read(logger, config, catalog, state)

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

    def _connection_advice(self) -> str:
        if self._api_url:
            return f"AMPLITUDE_API_URL is set to {self._api_url}. Check that a local Amplitude runs there."
        return "Try again in a few minutes. If it still fails, check the machine's network and proxy settings."

    def _open(self, config: Config, limits: Limits) -> Amplitude:
        with tracing(config.keys):
            return Amplitude.of(config, limits, self._clock, self._api_url)


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


def register_secrets(raw: Mapping[str, Any]) -> None:
    """Register every form of a raw configuration's keys with the CDK's secret filter.

    The longest form comes first, since the filter replaces one after the other and one key may contain the other.
    """
    texts = [value if isinstance(value, str) else "" for value in (raw.get("api_key"), raw.get("secret_key"))]
    forms = {
        form for key, secret in (texts, [text.strip() for text in texts]) for form in secret_forms(Keys(key, secret))
    }
    update_secrets(sorted(forms, key=lambda form: (-len(form), form)))
