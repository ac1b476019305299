"""The source as Airbyte sees it; the one place that wires objects together."""

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
from source_amplitude.api import CredentialCheck, check_credentials, secret_forms
from source_amplitude.api.quotas import Quotas
from source_amplitude.clock import Clock, SystemClock
from source_amplitude.config import Config, Keys, parse_config
from source_amplitude.config.file import read_raw_config
from source_amplitude.errors import (
    AmplitudeError,
    ForeignResponseError,
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


_CHECK_SECONDS = 60  # somebody is looking at a form and waits; a sync has more patience


class SourceAmplitude(AbstractSource):
    """Amplitude's HTTP APIs as Airbyte streams.

    Attributes:
        serialize_records: Set by our launcher: records then leave in batches of finished lines.
        stop: Once set, a read ends soon, with a state for what it has read.
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
        self._begun: tuple[Mapping[str, Any], list[Stream]] | None = None
        self.serialize_records = False
        self.stop = threading.Event()
        self.listener = ProgressListener()

    @property
    def name(self) -> str:
        return "source-amplitude"

    @property
    def stop_sync_on_stream_failure(self) -> bool:
        """Whether a stream that fails is the last: only when it failed because the sync is to end."""
        return self.stop.is_set()

    @property
    def message_repository(self) -> MessageRepository:
        """Our own queue; the CDK's default is one for the whole process."""
        return self._messages

    @staticmethod
    def read_config(config_path: str) -> MutableMapping[str, Any]:
        """Return the configuration in a file; keys such as ``${AMPLITUDE_API_KEY}`` come from the environment."""
        with tracing():
            return read_raw_config(config_path)

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:  # noqa: ARG002 - the CDK's form
        """Return the configuration as it is; the CDK would write a copy with the keys to the disk."""
        return config

    def check_connection(self, logger: logging.Logger, config: Mapping[str, Any]) -> tuple[bool, None]:  # noqa: ARG002
        """Raise an AirbyteTracedException unless Amplitude accepts the keys; transfers nothing."""
        parsed = self._parsed(config)
        timeouts = self._limits.timeouts
        timeouts = replace(timeouts, read_seconds=min(_CHECK_SECONDS, timeouts.read_seconds))
        amplitude = self._open(parsed, replace(self._limits, timeouts=timeouts))
        try:
            check_credentials(amplitude.client, amplitude.other_region)
        except AmplitudeError as error:
            if isinstance(error, RetryableError | UnreachableError) and not isinstance(error, ForeignResponseError):
                error.advice = self._advice_for_a_bad_connection()
            trace = to_traced(error, parsed.keys)
            if isinstance(error, ForeignResponseError):
                trace.failure_type = FailureType.config_error  # only for these the CDK prints a FAILED status
            raise trace from error
        return True, None

    def streams(self, config: Mapping[str, Any]) -> list[Stream]:
        """Return every stream; where the CDK asks for those of the read that it begins, the ones that `read` made."""
        begun, self._begun = self._begun, None  # for one call: a later command makes its own
        if begun is not None and begun[0] == config:
            return begun[1]
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
        """Read the catalog's streams; one that does not exist ends INCOMPLETE with a message of its own."""
        streams = self.streams(config)
        for name in _resumed_refreshes(streams, catalog, state or []):
            logger.warning(
                "This full refresh of %s resumes from a state: what the state counts as read is not emitted again. "
                "Clear the stream's state to read everything.",
                name,
            )
        existing = tuple(stream.name for stream in streams)
        wanted = dict.fromkeys(configured.stream.name for configured in catalog.streams)
        missing = [MissingStream(name, existing) for name in wanted if name not in existing]
        saved = [each.stream.stream_descriptor.name for each in state or [] if each.stream]
        if state and not wanted.keys() & saved:
            logger.warning(
                "The state is of %s, and the catalog asks for %s: nothing is resumed.",
                ", ".join(saved) or "no stream",
                ", ".join(wanted),
            )
        self._begun = (split_config(config)[0], [*streams, *missing])
        yield from super().read(logger, config, catalog, state)

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        with tracing():
            return read_catalog(catalog_path)

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """Return the states in a file, in any form that people hand them over; none without a path."""
        with tracing():
            return read_states(state_path) if state_path else []

    def validate(self, raw: Mapping[str, Any]) -> Config:
        """Parse a configuration and keep every form of its keys out of all messages from here on.

        The command that follows it with the same object does not parse it again. Problems are named all at once.
        """
        register_secrets(raw)
        with tracing():
            config = parse_config(raw)
        self._validated = (raw, config)
        return config

    def _parsed(self, raw: Mapping[str, Any]) -> Config:
        validated, self._validated = self._validated, None
        return validated[1] if validated is not None and validated[0] is raw else self.validate(raw)

    def _advice_for_a_bad_connection(self) -> str:
        if self._api_url:
            return f"AMPLITUDE_API_URL is set to {self._api_url}: is a local Amplitude listening there?"
        return "Try again in a few minutes; if it goes on, check the machine's network and proxy settings."

    def _open(self, config: Config, limits: Limits) -> Amplitude:
        with tracing(config.keys):
            return Amplitude.of(config, limits, self._clock, self._api_url)


def _resumed_refreshes(
    streams: list[Stream], catalog: ConfiguredAirbyteCatalog, state: list[AirbyteStateMessage]
) -> list[str]:
    """Return the streams of which a full refresh was handed a state that it goes on from."""
    refreshed = {each.stream.name for each in catalog.streams if each.sync_mode is SyncMode.full_refresh}
    resumable = {stream.name for stream in streams if stream.is_resumable}
    saved = {each.stream.stream_descriptor.name: each.stream.stream_state for each in state if each.stream is not None}
    return [name for name, value in saved.items() if name in refreshed & resumable and value and vars(value)]


def register_secrets(raw: Mapping[str, Any]) -> None:
    """Tell the CDK's filter every form in which the keys of a raw configuration could appear in a message.

    Longest first: it replaces one after the other, and a key may be a part of the other.
    """
    texts = [value if isinstance(value, str) else "" for value in (raw.get("api_key"), raw.get("secret_key"))]
    forms = {
        form for key, secret in (texts, [text.strip() for text in texts]) for form in secret_forms(Keys(key, secret))
    }
    update_secrets(sorted(forms, key=lambda form: (-len(form), form)))
