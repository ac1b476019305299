"""Run all streams except events in this process against the emulator, with one shared clock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import AirbyteStateBlob, AirbyteStateMessage, SyncMode
from airbyte_cdk.test.catalog_builder import CatalogBuilder
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput, read
from airbyte_cdk.test.state_builder import StateBuilder

from amplitude_emulator.rest.settings import settings_with
from source_amplitude import SourceAmplitude
from unit_tests.airbyte.streams.host import QUICK
from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.help_links import without_help_link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amplitude_emulator import Emulator, RequestSeen
    from amplitude_emulator.rest.content import ProjectContent

Row = dict[str, Any]

CREDENTIAL_CHECK_PATH = "/api/2/export"


class SharedClock(FakeClock):
    """The connector's clock, which also advances the emulator's, so that both count the same limits.

    Attributes:
        on_advance: Called after each step; a test can act while the source waits.
    """

    def __init__(self, emulator: Emulator, now: datetime = NOON) -> None:
        super().__init__(now)
        self._emulator = emulator
        self.on_advance: Callable[[], None] = lambda: None

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._emulator.clock.advance(timedelta(seconds=seconds))
        self.on_advance()


@dataclass(frozen=True)
class Failure:
    """The error of an incomplete stream."""

    error: str
    failure_type: str
    message: str


@dataclass(frozen=True)
class RestSync:
    """The output of one sync by stream, with states in order, and all log lines."""

    records: Mapping[str, list[Row]]
    states: Mapping[str, list[Row]]
    statuses: Mapping[str, str]
    failures: Mapping[str, Failure]
    logs: tuple[tuple[str, str], ...] = field(repr=False)

    def state(self) -> dict[str, Row]:
        """Return the last state of each stream."""
        return {name: states[-1] for name, states in self.states.items()}

    def lines(self, level: str, stream: str = "") -> list[str]:
        """Return the log lines of a level, optionally of one stream."""
        return [text for found, text in self.logs if found == level and text.startswith(stream)]


class Project:
    """An Amplitude project and a source that reads it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.clock = SharedClock(emulator)
        self.source = self.new_source()

    @property
    def content(self) -> ProjectContent:
        return self.emulator.content

    def set(self, **changes: object) -> None:
        """Change settings of the emulator's project."""
        self.content.settings = settings_with(self.content.settings, changes)

    def new_source(self) -> SourceAmplitude:
        """Return a new source, as a new process would."""
        return SourceAmplitude(limits=QUICK, clock=self.clock, environ={"AMPLITUDE_API_URL": self.emulator.url})

    def config(self, **changes: object) -> dict[str, Any]:
        project = self.emulator.project
        return {
            "api_key": project.api_key,
            "secret_key": project.secret_key,
            "start_date": "2026-02-27T00:00:00Z",
            **changes,
        }

    def sync(
        self,
        *names: str,
        state: object = None,
        mode: object = "incremental",
        **changes: object,
    ) -> RestSync:
        """Run one sync of some streams.

        Args:
            names: The streams.
            state: The states by stream.
            mode: The sync mode of streams that support incremental.
            changes: Changes to the configuration.
        """
        config = self.config(**changes)
        self.source = self.new_source()
        catalog = CatalogBuilder()
        streams = {stream.name: stream for stream in self.source.streams(config)}
        for name in names:
            chosen = SyncMode(mode) if streams[name].supports_incremental else SyncMode.full_refresh
            catalog = catalog.with_stream(name, chosen)
        return seen(read(self.source, config, catalog.build(), _saved(state)))

    def stop(self) -> None:
        """Stop the running sync, like SIGTERM."""
        self.source.stop.set()

    def asked(self, path: str = "") -> list[RequestSeen]:
        """Return the requests with ``path`` in their path, without those of the credential check."""
        return [
            request
            for request in self.emulator.requests
            if path in request.path and CREDENTIAL_CHECK_PATH not in request.path
        ]

    def paths(self) -> list[str]:
        """Return the requested paths in order, without those of the credential check."""
        return [request.path for request in self.asked()]

    def days_asked(self, path: str) -> list[tuple[str, str]]:
        """Return the requested day spans of a dashboard."""
        return [(request.query["start"], request.query["end"]) for request in self.asked(path)]


def _saved(state: object) -> list[AirbyteStateMessage]:
    builder = StateBuilder()
    for name, value in state.items() if isinstance(state, dict) else ():
        builder = builder.with_stream_state(name, value)
    return builder.build()


def seen(output: EntrypointOutput) -> RestSync:
    records: dict[str, list[Row]] = defaultdict(list)
    for message in output.records:
        if message.record:
            records[message.record.stream].append(message.record.data)
    states: dict[str, list[Row]] = defaultdict(list)
    for message in output.state_messages:
        if message.state and message.state.stream:
            states[message.state.stream.stream_descriptor.name].append(_plain(message.state.stream.stream_state))
    statuses, failures = {}, {}
    for message in output.trace_messages:
        trace = message.trace
        if trace and trace.stream_status:
            statuses[trace.stream_status.stream_descriptor.name] = trace.stream_status.status.value
        if trace and trace.error and trace.error.stream_descriptor:
            error, kind = trace.error, trace.error.failure_type
            failures[trace.error.stream_descriptor.name] = Failure(
                str(error.internal_message).partition(":")[0],
                kind.value if kind else "",
                without_help_link(error.message),
            )
    logs = tuple((message.log.level.value, message.log.message) for message in output.logs if message.log)
    return RestSync(records, states, statuses, failures, logs)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a state as plain JSON."""
    if isinstance(value, AirbyteStateBlob):
        return _plain(vars(value))
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def days(first: str, last: str) -> list[str]:
    """Return the dates from ``first`` to ``last``, both included."""
    start = date.fromisoformat(first)
    return [str(start + timedelta(days=n)) for n in range((date.fromisoformat(last) - start).days + 1)]


def dates(records: list[Row]) -> list[str]:
    return [record["date"] for record in records]


def without_nulls(item: Mapping[str, Any]) -> Row:
    return {name: value for name, value in item.items() if value is not None}
