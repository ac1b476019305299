"""Runs every stream but events in this process, against the emulator, with one clock for both sides."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amplitude_emulator import Emulator, RequestSeen
    from amplitude_emulator.rest.content import ProjectContent

Row = dict[str, Any]

KEY_PROOF = "/api/2/export"


class SharedClock(FakeClock):
    """Our clock, which moves the emulator's along: limits that are counted by either side agree.

    Attributes:
        on_advance: Called after each step, so that a test can do something while the source waits.
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
    """Why a stream ended incomplete."""

    error: str
    failure_type: str
    message: str


@dataclass(frozen=True)
class RestSync:
    """What one sync emitted, by stream; states in order, logs and the order of streams as texts."""

    records: Mapping[str, list[Row]]
    states: Mapping[str, list[Row]]
    statuses: Mapping[str, str]
    failures: Mapping[str, Failure]
    logs: tuple[tuple[str, str], ...] = field(repr=False)

    def state(self) -> dict[str, Row]:
        """Return the last state of each stream that has one."""
        return {name: states[-1] for name, states in self.states.items()}

    def lines(self, level: str, stream: str = "") -> list[str]:
        """Return the log lines of a level, of one stream if named."""
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
        """Return a source as a new process has it."""
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
        """Run one sync of some streams, by ``mode`` where they can.

        Args:
            names: The streams.
            state: States by stream.
            mode: The sync mode.
            changes: Of the configuration.
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
        """Ask the running sync to end, as SIGTERM does."""
        self.source.stop.set()

    def asked(self, path: str = "") -> list[RequestSeen]:
        """Return the requests below a path, without the proofs of the keys."""
        return [request for request in self.emulator.requests if path in request.path and KEY_PROOF not in request.path]

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order, without the proofs of the keys."""
        return [request.path for request in self.asked()]

    def days_asked(self, path: str) -> list[tuple[str, str]]:
        """Return the spans that a dashboard was asked for."""
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
                str(error.internal_message).partition(":")[0], kind.value if kind else "", error.message
            )
    logs = tuple((message.log.level.value, message.log.message) for message in output.logs if message.log)
    return RestSync(records, states, statuses, failures, logs)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a state as JSON has it, whatever objects it is made of."""
    if isinstance(value, AirbyteStateBlob):
        return _plain(vars(value))
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def days(first: str, last: str) -> list[str]:
    """Return days, both ends included, as dates of records."""
    start = date.fromisoformat(first)
    return [str(start + timedelta(days=n)) for n in range((date.fromisoformat(last) - start).days + 1)]


def dates(records: list[Row]) -> list[str]:
    return [record["date"] for record in records]


def without_nulls(item: Mapping[str, Any]) -> Row:
    return {name: value for name, value in item.items() if value is not None}
