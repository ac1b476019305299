"""Random runs of streaming queries: late hours, late files, killed drivers and restarted queries."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from source_amplitude.spark.options import LateFiles
from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.random_lives import run_lives
from unit_tests.spark.micro_batches import Checkpoint, KilledError, Query, amplitude_of, config_of

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from source_amplitude.config import Config

FIRST = datetime(2026, 3, 2, 20, tzinfo=timezone.utc)
DELAY = timedelta(hours=3)
LAST_RECHECK = timedelta(hours=25)  # the last of recheck_hours, after the hour's end
MOST_LATE = timedelta(hours=20)  # a day after it was due, an hour settles as empty if a later hour has files


class Queries(RuleBasedStateMachine):
    """Events published in time are in the sink once; late events are read at most once, and missing if ignored."""

    emulator: Emulator
    late_files: LateFiles

    def __init__(self) -> None:
        super().__init__()
        self.emulator.reset()
        self.clock = FakeClock(NOON)
        self.checkpoint = Checkpoint()
        self.on_time: set[bytes] = set()
        self.late: set[bytes] = set()
        self.too_late: set[bytes] = set()
        self.count = 0

    @property
    def config(self) -> Config:
        return config_of(self.emulator, FIRST)

    def line(self) -> bytes:
        self.count += 1
        return json.dumps({"uuid": str(self.count), "text": "x" * (self.count % 7 * 100)}).encode()

    @rule(hours_ago=st.integers(0, 40), partition=st.integers(1, 3))
    def an_hour_gets_events(self, hours_ago: int, partition: int) -> None:
        hour = self.present().replace(minute=0) - timedelta(hours=hours_ago)
        if hour < FIRST:
            return
        line = self.line()
        self.emulator.store.append_lines(hour, partition, [line])
        if self.emulator.store.published_from(hour, DELAY) > self.present():
            self.on_time.add(line)
        elif self.present() < hour + LAST_RECHECK:
            self.late.add(line)
        else:
            self.too_late.add(line)

    @rule(hours=st.integers(1, 20))
    def an_hour_is_published_late(self, hours: int) -> None:
        hour = self.present().replace(minute=0)
        self.emulator.store.publish_at(hour, hour + DELAY + min(timedelta(hours=hours), MOST_LATE))

    @rule(hours=st.integers(1, 9))
    def time_passes(self, hours: int) -> None:
        self.pass_time(hours)

    @rule(kill_at=st.sampled_from(["", "planned", "read"]), most_hours=st.sampled_from([1, 6, None]))
    def the_query_runs(self, kill_at: str, most_hours: int | None) -> None:
        with suppress(KilledError):
            self.query(kill_at).run(most_hours=most_hours)
        self.nothing_is_repeated()

    @precondition(lambda self: self.checkpoint.offsets)
    @rule(times=st.integers(1, 3))
    def the_driver_dies_again_and_again(self, times: int) -> None:
        for _ in range(times):
            with suppress(KilledError):
                self.query("read").run()

    def query(self, kill_at: str = "") -> Query:
        amplitude = amplitude_of(self.emulator, self.config, self.clock)
        return Query(amplitude, self.checkpoint, self.late_files, kill_at=kill_at)

    def pass_time(self, hours: int) -> None:
        self.emulator.clock.advance(timedelta(hours=hours))
        self.clock.advance(hours * 3600)

    def present(self) -> datetime:
        return self.emulator.clock.now()

    def nothing_is_repeated(self) -> None:
        counts = Counter(self.checkpoint.lines)
        assert {line: count for line, count in counts.items() if count > 1} == {}

    def teardown(self) -> None:
        self.query().run()
        for _ in range(8):
            self.pass_time(9)
            # A later hour with events settles empty hours.
            hour = self.present().replace(minute=0)
            line = self.line()
            self.emulator.store.append_lines(hour, 1, [line])
            self.on_time.add(line)
            self.query().run()
        self.pass_time(9)
        self.query().run()
        self.nothing_is_repeated()
        read = set(self.checkpoint.lines)
        expected = self.on_time if self.late_files is LateFiles.IGNORE else self.on_time | self.late
        assert expected - read == set()
        assert read <= self.on_time | self.late | self.too_late


@pytest.mark.parametrize(
    "late_files",
    [
        pytest.param(each, marks=() if each is LateFiles.DRIVER else pytest.mark.long, id=each.value)
        for each in LateFiles
    ],
)
def test_a_few_random_lives_lose_and_repeat_nothing(emulator: Emulator, late_files: LateFiles) -> None:
    run_lives(Queries, emulator=emulator, late_files=late_files, lives=6, steps=20)


@pytest.mark.spark
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("late_files", LateFiles, ids=lambda each: each.value)
def test_many_random_lives_lose_and_repeat_nothing(emulator: Emulator, late_files: LateFiles) -> None:
    run_lives(Queries, emulator=emulator, late_files=late_files, lives=120, steps=40)
