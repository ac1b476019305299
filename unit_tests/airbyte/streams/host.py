"""Run the events stream in this process, like an Airbyte host, with the test's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import AirbyteStateBlob, SyncMode
from airbyte_cdk.test.catalog_builder import CatalogBuilder
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput, read
from airbyte_cdk.test.state_builder import StateBuilder

from source_amplitude import SourceAmplitude
from source_amplitude.api import RetryPolicy
from source_amplitude.export import Limits
from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from datetime import timedelta

    from amplitude_emulator import Emulator
    from unit_tests.fakes.fake_clock import FakeClock

QUICK = Limits(retry=RetryPolicy(attempts=2, first_wait_seconds=0, longest_wait_seconds=0))


@dataclass(frozen=True)
class Sync:
    """The output of one sync, in order."""

    uuids: list[str]
    states: list[dict[str, Any]]
    warnings: str
    errors: list[str]


def sync(
    emulator: Emulator, clock: FakeClock, state: object = None, *, mode: str = "incremental", **changes: object
) -> Sync:
    """Run one sync with a changed configuration; ``settings`` are the source's limits."""
    project = emulator.project
    settings = changes.pop("settings", QUICK)
    assert isinstance(settings, Limits)
    config = {
        "api_key": project.api_key,
        "secret_key": project.secret_key,
        "start_date": "2026-03-04T00:00:00Z",
        **changes,
    }
    catalog = CatalogBuilder().with_stream("events", SyncMode(mode)).build()
    source = SourceAmplitude(limits=settings, clock=clock, environ={"AMPLITUDE_API_URL": emulator.url})
    saved = StateBuilder().with_stream_state("events", state).build() if state else None
    return seen(read(source, config, catalog, saved))


def seen(output: EntrypointOutput) -> Sync:
    return Sync(
        [message.record.data["uuid"] for message in output.records if message.record],
        [plain(message.state.stream.stream_state) for message in output.state_messages],  # type: ignore[union-attr]
        "\n".join(m.log.message for m in output.logs if m.log and m.log.level.value == "WARN"),
        [message.trace.error.message for message in output.errors if message.trace and message.trace.error],
    )


def plain(state: AirbyteStateBlob | None) -> dict[str, Any]:
    return dict(vars(state)) if state is not None else {}


def uuids(emulator: Emulator, first_hour: int = 0, end_hour: int = 12) -> list[str]:
    """Return the sorted uuids of the events stored in these hours of the day."""
    start, end = NOON.replace(hour=first_hour), NOON.replace(hour=end_hour)
    return sorted(str(event["uuid"]) for event in emulator.store.events(start, end))


def move_on(emulator: Emulator, clock: FakeClock, by: timedelta) -> None:
    """Advance both clocks."""
    emulator.clock.advance(by)
    clock.advance(by.total_seconds())
