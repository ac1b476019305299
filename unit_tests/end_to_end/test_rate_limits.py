"""Waits of more than 5 seconds for a rate limit or quota are reported as the status of the stream."""

from __future__ import annotations

import json
import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import SyncMode
from airbyte_cdk.test.catalog_builder import CatalogBuilder

from amplitude_emulator.rest.cohorts import Cohort, CohortMember
from amplitude_emulator.rest.settings import settings_with
from source_amplitude import SourceAmplitude
from unit_tests.conftest import NOON
from unit_tests.end_to_end.command import SHORT
from unit_tests.end_to_end.connector import by_uuid, expected_record
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Run
    from unit_tests.end_to_end.terminal import QuickConnector, ReadyProgram


@pytest.fixture
def connector(quick_connector: QuickConnector) -> QuickConnector:
    """The connector with a clock that does not wait."""
    quick_connector.now = NOON.isoformat()
    return quick_connector


def status(stream: str, name: str, **reasons: object) -> dict[str, Any]:
    traced = {"stream_descriptor": {"name": stream}, "status": name, **reasons}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": traced}}


def limited(stream: str, after_seconds: float | None) -> dict[str, Any]:
    reason: dict[str, Any] = {"type": "RATE_LIMITED"}
    if after_seconds is not None:
        end = NOON + timedelta(seconds=after_seconds)
        reason["rate_limited"] = {"quota_reset": int(end.timestamp() * 1000)}
    return status(stream, "RUNNING", reasons=[reason])


def traces(run: Run) -> list[dict[str, Any]]:
    """Return the TRACE messages without their times."""
    found = run.of_type("TRACE")
    for message in found:
        assert message["trace"].pop("emitted_at") > 0
    return found


def test_a_wait_for_events_is_reported(half_a_day: Emulator, connector: QuickConnector) -> None:
    half_a_day.faults.add("too_many_requests", times=1, hour=NOON.replace(hour=0), retry_after_seconds=7)

    run = connector.read(num_workers=1)

    assert traces(run) == [
        status("events", "STARTED"),
        limited("events", 7),
        status("events", "RUNNING"),
        status("events", "RUNNING"),  # the CDK's own, at the first record
        status("events", "COMPLETE"),
    ]
    assert by_uuid(run.records) == by_uuid([expected_record(line) for line in half_a_day.store.lines()])


def test_a_wait_of_five_seconds_is_not_reported(half_a_day: Emulator, connector: QuickConnector) -> None:
    half_a_day.faults.add("too_many_requests", times=1, hour=NOON.replace(hour=0), retry_after_seconds=5)

    run = connector.read(num_workers=1)

    assert traces(run) == [status("events", name) for name in ("STARTED", "RUNNING", "COMPLETE")]


def test_workers_write_whole_lines_between_records(half_a_day: Emulator, connector: QuickConnector) -> None:
    for hour in (0, 2, 6):
        half_a_day.faults.add("too_many_requests", times=1, hour=NOON.replace(hour=hour), retry_after_seconds=6)

    run = connector.read(num_workers=5, request_time_range=1)

    reported = [trace["trace"]["stream_status"] for trace in traces(run)[1:-1]]
    changes = [each["status"] for each in reported if "reasons" not in each]
    assert run.exit_code == 0
    assert {each["status"] for each in reported} == {"RUNNING"}
    assert len(changes) == len(reported) - len(changes) + 1  # each wait has an end, and the CDK adds one
    assert by_uuid(run.records) == by_uuid([expected_record(line) for line in half_a_day.store.lines()])


def test_a_wait_for_a_quota_is_reported(emulator: Emulator, connector: QuickConnector) -> None:
    emulator.content.settings = settings_with(
        emulator.content.settings, {"has_limits": False, "cohort_pending_polls": 0}
    )
    ids = [f"cohort{number}" for number in range(5)]
    emulator.content.cohorts.replace_all(Cohort(each, each, (CohortMember(1, "one"),)) for each in ids)

    run = connector.read(streams=("cohort_members",), cohort_ids=ids)

    # Four downloads fit in a minute.
    assert traces(run) == [
        status("cohort_members", "STARTED"),
        status("cohort_members", "RUNNING"),
        limited("cohort_members", 61),
        status("cohort_members", "RUNNING"),
        status("cohort_members", "COMPLETE"),
    ]


def test_the_wait_belongs_to_the_stream_that_waits(half_a_day: Emulator, connector: QuickConnector) -> None:
    half_a_day.faults.add("too_many_requests", times=1, path="/api/3/cohorts", retry_after_seconds=9)

    run = connector.read(streams=("events", "cohorts"))

    assert traces(run) == [
        *(status("events", name) for name in ("STARTED", "RUNNING", "COMPLETE")),
        status("cohorts", "STARTED"),
        limited("cohorts", 9),
        status("cohorts", "RUNNING"),
        status("cohorts", "RUNNING"),
        status("cohorts", "COMPLETE"),
    ]


def test_the_progress_line_shows_the_wait(
    half_a_day: Emulator, connector: QuickConnector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    half_a_day.faults.add("too_many_requests", times=1, path="/api/3/cohorts", retry_after_seconds=9)
    environ = {**connector.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    environ.pop("NO_PROGRESS", None)
    arguments = connector.reading(streams=("cohorts",))

    with (tmp_path / "out.jsonl").open("wb") as output:
        shown = ready_program.run(arguments, environ, stderr=True, now=NOON.isoformat(), output=output.fileno())

    assert b"rate limited until 12:00:09 UTC" in shown.stderr
    assert shown.cursor_is_shown


class HeldClock(FakeClock):
    """A clock whose sleeps last until `release` is set."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.release = threading.Event()

    def sleep(self, seconds: float) -> None:
        assert self.release.wait(60)
        super().sleep(seconds)


def test_a_host_in_this_process_gets_it_during_the_wait(half_a_day: Emulator, connector: QuickConnector) -> None:
    half_a_day.faults.add("too_many_requests", times=1, hour=NOON.replace(hour=0), retry_after_seconds=7)
    clock, found = HeldClock(), []
    source = SourceAmplitude(limits=SHORT, clock=clock, environ={"AMPLITUDE_API_URL": half_a_day.url})
    catalog = CatalogBuilder().with_stream("events", SyncMode.incremental).build()

    for message in source.read(logging.getLogger("airbyte"), connector.config(num_workers=1), catalog, []):
        if message.trace is not None:
            found.append(json.loads(AirbyteEntrypoint.airbyte_message_to_string(message)))
            if found[-1]["trace"]["stream_status"].get("reasons"):
                clock.release.set()
            found[-1]["trace"].pop("emitted_at")

    assert found == [
        status("events", "STARTED"),
        limited("events", 7),
        status("events", "RUNNING"),
        status("events", "RUNNING"),
        status("events", "COMPLETE"),
    ]
