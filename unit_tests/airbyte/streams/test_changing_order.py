"""Random runs in both orders, with faults, stops and kills, each continuing from the last state (property test)."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

from airbyte_cdk.models import SyncMode
from airbyte_cdk.test.catalog_builder import CatalogBuilder
from airbyte_cdk.test.state_builder import StateBuilder
from airbyte_cdk.utils import AirbyteTracedException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from source_amplitude import SourceAmplitude
from unit_tests.airbyte.streams.host import QUICK, plain
from unit_tests.arbitrary_values import examples
from unit_tests.conftest import NOON, fill
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Generator

    from airbyte_cdk.models import AirbyteMessage

    from amplitude_emulator import Emulator

_logger = logging.getLogger("airbyte")

HOUR = timedelta(hours=1)
FIRST = NOON.replace(hour=0)
FAULTS = (
    "none",
    "server_error",
    "broken_member",
    "cut_body",
    "too_large_above_hours",
    "too_many_requests",
    "empty_body",
    "empty_archive",
)
ENDS = ("complete", "complete", "stop", "kill")


@dataclass(frozen=True)
class Step:
    """One run: its order, the fault of one hour, and how it ends after some records."""

    order: str
    fault: str
    times: int | None
    hour: int
    end: str
    after_records: int
    window_hours: int
    workers: int
    late_hour: int | None


STEPS = st.builds(
    Step,
    order=st.sampled_from(["oldest_first", "newest_first"]),
    fault=st.sampled_from(FAULTS),
    times=st.sampled_from([1, None]),
    hour=st.integers(0, 9),
    end=st.sampled_from(ENDS),
    after_records=st.integers(1, 40),
    window_hours=st.sampled_from([1, 3, 24]),
    workers=st.integers(1, 3),
    late_hour=st.none() | st.integers(0, 9),
)


class Life:
    """A project, and the records and states that Airbyte keeps of its runs."""

    def __init__(self, emulator: Emulator) -> None:
        emulator.reset()
        fill(emulator, 0, 10, events_per_hour=4, empty=(3, 4))
        self.emulator = emulator
        self.clock = FakeClock(NOON)
        self.state: dict[str, Any] | None = None
        self.kept: list[str] = []
        self.hours = {event["uuid"]: hour_of(str(event["server_upload_time"])) for event in emulator.store.events()}

    def run(self, step: Step) -> None:
        if step.late_hour is not None:
            line = {"uuid": f"late {len(self.emulator.store.events())}"}
            self.emulator.store.append_lines(NOON.replace(hour=step.late_hour), 77, [line])
        if step.fault != "none":
            self.emulator.faults.add(step.fault, times=step.times, hour=NOON.replace(hour=step.hour))
        try:
            self._read(step)
        except AirbyteTracedException:
            assert step.fault != "none" or step.end == "stop"
        self.emulator.faults.clear()

    def later(self) -> None:
        """Let all late files become due."""
        self.clock.set(NOON + 40 * HOUR)
        self.emulator.clock.set(NOON + 40 * HOUR)

    def _read(self, step: Step) -> None:
        source = SourceAmplitude(limits=QUICK, clock=self.clock, environ={"AMPLITUDE_API_URL": self.emulator.url})
        catalog = CatalogBuilder().with_stream("events", SyncMode.incremental).build()
        saved = StateBuilder().with_stream_state("events", self.state).build() if self.state else []
        since_state: list[str] = []
        records = 0
        messages = cast(
            "Generator[AirbyteMessage, None, None]", source.read(_logger, self._config(step), catalog, saved)
        )
        with closing(messages):
            for message in messages:
                self.clock.advance(1)  # allows a state after each hour
                if message.record is not None:
                    since_state.append(message.record.data["uuid"])
                    records += 1
                elif message.state is not None and message.state.stream is not None:
                    self.kept += since_state
                    since_state.clear()
                    self.state = plain(message.state.stream.stream_state)
                    self._check_cursor()
                if records >= step.after_records and step.end == "kill":
                    return
                if records >= step.after_records and step.end == "stop":
                    source.stop.set()
        assert since_state == []

    def _config(self, step: Step) -> dict[str, Any]:
        return {
            "api_key": self.emulator.project.api_key,
            "secret_key": self.emulator.project.secret_key,
            "start_date": f"{FIRST:%Y-%m-%dT%H:%M:%SZ}",
            "backfill_order": step.order,
            "request_time_range": step.window_hours,
            "num_workers": step.workers,
        }

    def _check_cursor(self) -> None:
        """Check that all hours up to the state's cursor are read, also by a connector that knows only the cursor."""
        assert self.state is not None
        cursor = hour_of(self.state["server_upload_time"])
        settled = self.state["ledger"]["settled"]
        oldest_unsettled = FIRST
        if settled and hour_of(settled[0][0]) <= FIRST:
            oldest_unsettled = hour_of(settled[0][1])
        assert cursor < oldest_unsettled
        assert {uuid for uuid, hour in self.hours.items() if hour <= cursor} <= {*self.kept}


def hour_of(text: str) -> datetime:
    """Return the hour of a state's or an event's time."""
    digits = "".join(character for character in text if character.isdigit())
    return datetime.strptime(digits[:10], "%Y%m%d%H").replace(tzinfo=timezone.utc)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(steps=st.lists(STEPS, min_size=1, max_size=4), last=st.sampled_from(["oldest_first", "newest_first"]))
def test_every_event_is_kept_once_in_any_order(session_emulator: Emulator, steps: list[Step], last: str) -> None:
    life = Life(session_emulator)

    for step in steps:
        life.run(step)
    life.later()
    life.run(Step(last, "none", None, 0, "complete", 0, 4, 2, None))

    assert sorted(life.kept) == sorted(str(event["uuid"]) for event in session_emulator.store.events())
