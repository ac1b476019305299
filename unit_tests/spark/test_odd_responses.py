"""Unusual responses between planning and reading a batch, and during a long run of a driver."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from source_amplitude.api import ExportResponse, client
from source_amplitude.config import MalformedLines
from source_amplitude.errors import AmplitudeError, HoursMissingError, NotPublishedError
from source_amplitude.spark.offsets import ledger_at
from source_amplitude.spark.options import LateFiles
from source_amplitude.windows import HOUR, HourSet, hour_window
from unit_tests.conftest import NOON, fill
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.spark.micro_batches import Checkpoint, KilledError, Query, amplitude_of, config_of
from unit_tests.spark.test_offsets import Driver

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from source_amplitude.api import AmplitudeClient
    from source_amplitude.api.client import ByteSink
    from source_amplitude.windows import HourWindow

MIDNIGHT = NOON.replace(hour=0)
EVERY_WAY = pytest.mark.parametrize("late_files", LateFiles, ids=lambda each: each.value)
WITH_LATE_FILES = pytest.mark.parametrize(
    "late_files", [LateFiles.DRIVER, LateFiles.EXECUTORS], ids=lambda each: each.value
)


def line(name: object) -> bytes:
    return json.dumps({"uuid": str(name)}).encode()


class Life:
    """A checkpoint and the queries that continue from it."""

    def __init__(self, emulator: Emulator, late_files: LateFiles, **config: object) -> None:
        self.emulator = emulator
        self.late_files = late_files
        self.config = config_of(emulator, MIDNIGHT, **config)
        self.clock = FakeClock(NOON)
        self.checkpoint = Checkpoint()

    def run(self, *, kill_at: str = "", most_hours: int | None = 6) -> AmplitudeError | None:
        """Run a query and return its error, if any."""
        amplitude = amplitude_of(self.emulator, self.config, self.clock)
        try:
            Query(amplitude, self.checkpoint, self.late_files, kill_at=kill_at).run(most_hours=most_hours)
        except KilledError:
            pass
        except AmplitudeError as error:
            return error
        return None

    def later(self, hours: int) -> None:
        self.emulator.clock.advance(timedelta(hours=hours))
        self.clock.advance(hours * 3600)

    def continue_two_days(self) -> None:
        """Let two days pass, with new events and a query every nine hours."""
        for number in range(6):
            self.later(9)
            self.emulator.store.append_lines(self.emulator.clock.now().replace(minute=0), 1, [line(f"later {number}")])
            self.run()


@EVERY_WAY
@pytest.mark.parametrize("missing", [(0, 1), (1,)], ids=["whole window", "one hour of it"])
def test_a_planned_batch_waits_for_a_missing_hour(
    emulator: Emulator, late_files: LateFiles, missing: tuple[int, ...]
) -> None:
    life = Life(emulator, late_files)
    for hour in range(4):
        emulator.store.append_lines(MIDNIGHT + hour * HOUR, 1, [line(hour)])
    life.run(kill_at="planned")
    for hour in missing:
        emulator.store.publish_at(MIDNIGHT + hour * HOUR, NOON + HOUR)

    failure = life.run()
    life.continue_two_days()

    assert isinstance(failure, NotPublishedError | HoursMissingError)
    assert sorted(life.checkpoint.lines)[:4] == [line(hour) for hour in range(4)]


@EVERY_WAY
def test_a_planned_batch_skips_an_hour_in_accepted_gaps(emulator: Emulator, late_files: LateFiles) -> None:
    life = Life(emulator, late_files)
    for hour in range(4):
        emulator.store.append_lines(MIDNIGHT + hour * HOUR, 1, [line(hour)])
    life.run(kill_at="planned")
    emulator.store.remove_member(MIDNIGHT + HOUR, 1)
    life.config = replace(life.config, accepted_gaps=HourSet.of([hour_window(MIDNIGHT + HOUR)]))

    failure = life.run()

    assert failure is None
    assert life.checkpoint.lines == [line(0), line(2), line(3)]


def test_a_batch_read_by_the_driver_is_limited_in_bytes(half_a_day: Emulator) -> None:
    life = Life(half_a_day, LateFiles.DRIVER)
    amplitude = amplitude_of(half_a_day, life.config, life.clock)

    Query(amplitude, life.checkpoint, LateFiles.DRIVER, most_bytes=1).run(most_hours=None)

    stored = [half_a_day.store.lines(MIDNIGHT + hour * HOUR, MIDNIGHT + (hour + 1) * HOUR) for hour in range(10)]
    batches = [sorted(rows) for rows in life.checkpoint.rows if rows]
    assert batches == [sorted(lines) for lines in stored if lines]


def test_an_incomplete_line_counts_as_read_after_it_is_complete(emulator: Emulator) -> None:
    life = Life(emulator, LateFiles.EXECUTORS)
    emulator.store.put_content(MIDNIGHT, 1, line("whole") + b"\n" + line("half")[:8])
    life.run()
    emulator.store.put_content(MIDNIGHT, 1, line("whole") + b"\n" + line("half") + b"\n")
    life.continue_two_days()

    assert [row for row in life.checkpoint.lines if b"later" not in row] == [line("whole"), line("half")]


@EVERY_WAY
def test_no_empty_batch_follows_malformed_lines(emulator: Emulator, late_files: LateFiles) -> None:
    life = Life(emulator, late_files, malformed_lines=MalformedLines.SKIP)
    for hour in range(10):
        emulator.store.append_lines(MIDNIGHT + hour * HOUR, 1, [line(hour), b"{no json"])

    life.run(most_hours=None)

    assert [len(rows) for rows in life.checkpoint.rows] == [10]


@WITH_LATE_FILES
@pytest.mark.parametrize("is_first", [True, False], ids=["first read", "late lines"])
def test_a_task_waits_for_the_planned_version_of_a_member(
    emulator: Emulator, late_files: LateFiles, *, is_first: bool
) -> None:
    life = Life(emulator, late_files)
    old, new = [line("old 1"), line("old 2")], [line("new 1"), line("new 2")]
    emulator.store.append_lines(MIDNIGHT, 1, old)
    if not is_first:
        life.run()
    emulator.store.append_lines(MIDNIGHT, 1, new)
    life.later(7 if is_first else 15)
    life.run(kill_at="planned")
    emulator.store.rewrite_lines(MIDNIGHT, 1, old)

    failure = life.run()
    emulator.store.append_lines(MIDNIGHT, 1, new)
    life.continue_two_days()

    assert isinstance(failure, HoursMissingError)
    assert "has 36 bytes; it had 72 before" in str(failure)
    assert [row for row in life.checkpoint.lines if row in (*old, *new)] == [*old, *new]


def test_one_504_in_a_probe_does_not_fail_the_query(half_a_day: Emulator) -> None:
    life = Life(half_a_day, LateFiles.IGNORE)
    half_a_day.faults.add("server_error", status=504, hour=MIDNIGHT + 3 * HOUR, times=1)

    failure = life.run()

    assert failure is None
    assert len(life.checkpoint.lines) == len(half_a_day.store.lines())


def test_an_hour_that_always_times_out_fails_the_query(half_a_day: Emulator) -> None:
    life = Life(half_a_day, LateFiles.IGNORE)
    half_a_day.faults.add("server_error", status=504, hour=MIDNIGHT + 5 * HOUR)

    failure = life.run()

    assert "The export for 2026-03-04 05:00 UTC timed out at Amplitude (HTTP 504" in str(failure)


@pytest.mark.parametrize("kind", ["another hour's member", "a folder alone"])
def test_an_archive_without_members_of_its_hour_does_not_fail(half_a_day: Emulator, kind: str) -> None:
    life = Life(half_a_day, LateFiles.IGNORE, window_hours=1)
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        if kind == "a folder alone":
            archive.writestr("100200/", b"")
        else:
            archive.writestr("100200/100200_2026-03-04_7#1.json.gz", gzip.compress(line("elsewhere") + b"\n"))
    amplitude = amplitude_of(half_a_day, life.config, life.clock)
    odd = replace(amplitude, client=OddHour(amplitude.client, MIDNIGHT + 3 * HOUR, body.getvalue()))  # type: ignore[arg-type]

    Query(odd, life.checkpoint, LateFiles.IGNORE).run()

    assert len(life.checkpoint.lines) == len(half_a_day.store.lines())


class OddHour:
    """A client with a scripted response for one hour."""

    def __init__(self, real: AmplitudeClient, hour: object, body: bytes) -> None:
        self._real = real
        self._hour = hour
        self._body = body

    def export(self, window: HourWindow, sink: ByteSink) -> ExportResponse:
        if window.start == self._hour and window.hours == 1:
            sink.write(self._body)
            return ExportResponse.ARCHIVE
        return self._real.export(window, sink)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


@EVERY_WAY
@pytest.mark.parametrize(
    ("name", "settings"),
    [("empty_archive", {}), ("html_page", {"status": 404})],
    ids=["an archive without a file of its hour", "a gateway's 404"],
)
@pytest.mark.parametrize("kill_at", ["", "planned"], ids=["while planning", "while reading"])
def test_an_inconclusive_response_settles_no_hour(
    half_a_day: Emulator, late_files: LateFiles, name: str, settings: dict[str, Any], kill_at: str
) -> None:
    life = Life(half_a_day, late_files, window_hours=1)
    if kill_at:
        life.run(kill_at=kill_at, most_hours=None)
    half_a_day.faults.add(name, hour=MIDNIGHT + 5 * HOUR, **settings)
    life.run(most_hours=None)
    life.later(48)
    life.run(most_hours=None)

    half_a_day.faults.clear()
    life.continue_two_days()

    assert sorted(row for row in life.checkpoint.lines if b"later" not in row) == sorted(half_a_day.store.lines()[:320])


def test_years_without_files_are_requested_in_allowed_spans(emulator: Emulator) -> None:
    driver = Driver(emulator, start=MIDNIGHT - timedelta(days=800), window_hours=24)
    while driver.next(200 * 24) or not driver.has_ended():
        driver.clock.advance(60)

    assert len(ledger_at(driver.offset, driver.config).open) == 800 * 24 + 10


def test_the_first_hour_after_a_pause_is_found_with_few_requests(emulator: Emulator) -> None:
    fill(emulator, 0, 1)
    emulator.clock.advance(timedelta(days=30))
    driver = Driver(emulator)
    driver.clock.advance(30 * 86400)
    for _ in range(60):
        driver.next(24)
        driver.clock.advance(60)
    newest = NOON + timedelta(days=30, hours=-3)
    emulator.store.append_lines(newest, 1, [line("new")])
    emulator.clear_requests()

    taken = driver.next(24)

    assert newest in taken
    assert len(emulator.requests) < 2 * 12


def test_short_failures_over_time_do_not_use_up_the_retry_budget(emulator: Emulator) -> None:
    driver = Driver(emulator)
    driver.planner = driver.planner_with(retry_budget_seconds=0.2)
    for number in range(12):
        emulator.clock.advance(HOUR)
        driver.clock.advance(3600)
        hour = emulator.clock.now() - 3 * HOUR
        emulator.store.append_lines(hour, 1, [line(number)])
        emulator.faults.clear()
        emulator.faults.add("server_error", times=3, hour=hour)
        driver.next(None)

    assert sum(driver.clock.sleeps) > 0.2


@EVERY_WAY
def test_hours_published_together_come_in_limited_batches(emulator: Emulator, late_files: LateFiles) -> None:
    life = Life(emulator, late_files)
    for hour in range(60):
        moment = MIDNIGHT + hour * HOUR
        emulator.store.append_lines(moment, 1, [line(hour)])
        emulator.store.publish_at(moment, MIDNIGHT + timedelta(days=3, hours=3))
    life.run(most_hours=4)
    life.later(63)

    life.run(most_hours=4)

    assert max(map(len, life.checkpoint.rows)) <= 4 + 4  # new hours, and open hours
    assert sorted(life.checkpoint.lines) == sorted(map(line, range(60)))


@EVERY_WAY
def test_offsets_stay_small_if_malformed_lines_are_skipped(emulator: Emulator, late_files: LateFiles) -> None:
    life = Life(emulator, late_files, malformed_lines=MalformedLines.SKIP)
    sizes = []
    for number in range(9):
        for hours in range(9):
            hour = emulator.clock.now().replace(minute=0) - hours * HOUR
            emulator.store.append_lines(hour, 1, [line((number, hours)), b"{no json"])
        life.later(9)
        assert life.run() is None
        sizes.append(len(life.checkpoint.offsets[-1]))

    assert sizes[-1] < 1.2 * sizes[4]


def test_without_a_date_header_the_local_clock_is_used(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(emulator)
    driver.next(None)
    monkeypatch.setattr(client, "date_from_header", lambda _: None)
    emulator.clock.advance(timedelta(hours=5))
    driver.clock.advance(5 * 3600)
    emulator.store.append_lines(NOON, 1, [line("new")])

    assert NOON in driver.next(None)
