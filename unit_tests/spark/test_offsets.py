"""The requests and the offsets of a streaming query's driver."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from source_amplitude.errors import InvalidStateError, OtherProjectError
from source_amplitude.ledger import Ledger
from source_amplitude.spark.offsets import Offset, OffsetPlanner, ledger_at, offset_of, partition_between
from source_amplitude.spark.options import LateFiles
from source_amplitude.spark.probe_discovery import ProbeDiscovery
from source_amplitude.windows import HOUR, HourSet, HourWindow
from unit_tests.conftest import NOON, fill
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.spark.micro_batches import POLL_SECONDS, Checkpoint, Query, amplitude_of, config_of

if TYPE_CHECKING:
    from datetime import datetime

    from amplitude_emulator import Emulator

MIDNIGHT = NOON.replace(hour=0)
KEY_CHECK = "20141113T00"


def span(first: int, end: int) -> HourSet:
    return HourSet((HourWindow(MIDNIGHT + HOUR * first, MIDNIGHT + HOUR * end),))


def asked(emulator: Emulator) -> list[str]:
    """Return the exports requested since the last call, without the check of the keys."""
    windows = [(seen.query["start"][6:], seen.query["end"][6:]) for seen in emulator.requests]
    emulator.clear_requests()
    return [first if first == last else f"{first}-{last}" for first, last in windows if first != KEY_CHECK[6:]]


class Driver:
    """The driver of a query, without tasks."""

    def __init__(self, emulator: Emulator, start: datetime = MIDNIGHT, **config: object) -> None:
        self.config = config_of(emulator, start, **config)
        self.clock = FakeClock(NOON)
        self._emulator = emulator
        self.planner = self.planner_with()
        self.offset: Offset = self.planner.initial()

    def planner_with(self, **settings: float) -> OffsetPlanner:
        amplitude = amplitude_of(self._emulator, self.config, self.clock)
        amplitude = replace(amplitude, limits=replace(amplitude.limits, **settings))  # type: ignore[arg-type]
        return OffsetPlanner(amplitude, ProbeDiscovery(amplitude), POLL_SECONDS)

    def has_ended(self) -> bool:
        """Return whether the driver waits for the next poll."""
        return self.planner.next(self.offset, None) is self.offset

    def next(self, most_hours: int | None = 4) -> HourSet:
        """Take the next offset and return the hours that its batch reads."""
        start, self.offset = self.offset, json.loads(json.dumps(self.planner.next(self.offset, most_hours)))
        return partition_between(start, self.offset, self.config).hours


def test_a_limited_number_of_hours_is_taken_oldest_first(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day)

    taken = [driver.next() for _ in range(4)]

    assert taken == [span(0, 3), span(4, 8) - span(4, 5), span(8, 10), HourSet()]


def test_recent_hours_are_probed_once_and_open_hours_again(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day)
    driver.next(None)
    first = asked(half_a_day)
    driver.clock.advance(POLL_SECONDS)
    driver.next(None)

    assert first == [f"04T{hour:02}" for hour in range(10)]
    assert asked(half_a_day) == ["04T03-04T04"]


def test_no_request_is_sent_before_the_next_poll(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day)
    driver.next(None)
    driver.clock.advance(POLL_SECONDS)
    driver.next(None)
    half_a_day.clear_requests()

    for _ in range(100):
        driver.next(None)

    assert half_a_day.requests == []


def test_one_probe_of_a_newer_hour_settles_overdue_hours(emulator: Emulator) -> None:
    emulator.clock.advance(timedelta(days=3))
    fill(emulator, 0, 12)
    fill_newest(emulator)
    driver = Driver(emulator)
    driver.clock.advance(3 * 86400)

    taken = [driver.next(24), driver.next(24)]

    assert taken == [span(0, 24), span(24, 48)]
    assert asked(emulator) == ["07T09"]


def test_overdue_hours_are_probed_if_no_newer_hour_has_files(emulator: Emulator) -> None:
    emulator.clock.advance(timedelta(days=3))
    fill(emulator, 0, 3)
    driver = Driver(emulator)
    driver.clock.advance(3 * 86400)

    taken = driver.next(6)

    assert taken == span(0, 3)
    assert ledger_at(driver.offset, driver.config).open == span(3, 6)


def test_a_long_pause_is_searched_in_growing_steps(emulator: Emulator) -> None:
    emulator.clock.advance(timedelta(days=40))
    fill(emulator, 0, 3)
    driver = Driver(emulator)
    driver.clock.advance(40 * 86400)

    driver.next(6)

    assert len(asked(emulator)) < 24 + 8 + 8


def test_an_hour_published_late_is_read_after_publication(emulator: Emulator) -> None:
    fill(emulator, 0, 10)
    emulator.store.publish_at(MIDNIGHT + 4 * HOUR, NOON + HOUR)
    driver = Driver(emulator)
    before = driver.next(None)
    emulator.clock.advance(timedelta(hours=2))
    driver.clock.advance(7200)

    after = driver.next(None)

    assert before == span(0, 10) - span(4, 5)
    assert span(4, 5) - after == HourSet()


def test_accepted_gaps_are_never_read(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day, accepted_gaps=span(1, 2))

    assert driver.next(None) == span(0, 3) - span(1, 2) | span(5, 10)
    assert "04T01" not in asked(half_a_day)


def test_no_hour_after_the_end_date_is_taken(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day, end=MIDNIGHT + 2 * HOUR)

    assert [driver.next(None), driver.next(None)] == [span(0, 2), HourSet()]


def test_a_start_in_the_future_waits(emulator: Emulator) -> None:
    driver = Driver(emulator, start=NOON)

    assert driver.next(None) == HourSet()
    assert asked(emulator) == []


def test_a_query_that_ends_at_present_ends(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day)
    driver.planner.end_at_present()
    half_a_day.clock.advance(timedelta(hours=5))
    driver.clock.advance(5 * 3600)

    taken = [driver.next() for _ in range(5)]

    assert taken[3:] == [HourSet(), HourSet()]
    before = driver.offset
    assert driver.planner.next(before, 4) is before


def test_another_projects_archives_are_an_error(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day)
    driver.offset = offset_of(Ledger(project="1"), driver.config)

    with pytest.raises(OtherProjectError):
        driver.next()


def test_an_unknown_offset_is_an_error(half_a_day: Emulator) -> None:
    driver = Driver(half_a_day)
    driver.offset = {"hour": "2026-03-04"}

    with pytest.raises(InvalidStateError):
        driver.next()


@pytest.mark.parametrize("late_files", LateFiles, ids=lambda each: each.value)
def test_equal_offsets_have_equal_texts(half_a_day: Emulator, late_files: LateFiles) -> None:
    checkpoint = Checkpoint()
    amplitude = amplitude_of(half_a_day, config_of(half_a_day, MIDNIGHT), FakeClock(NOON))
    Query(amplitude, checkpoint, late_files).run()
    planned = len(checkpoint.offsets)
    Query(amplitude, checkpoint, late_files).run()

    assert len(checkpoint.offsets) == planned
    config = config_of(half_a_day, MIDNIGHT)
    for text in checkpoint.offsets:
        offset = json.loads(text)
        assert (
            json.dumps({**offset, **offset_of(ledger_at(offset, config), config, ())} | {"seen": offset["seen"]})
            == text
        )


def fill_newest(emulator: Emulator) -> None:
    emulator.store.append_lines(MIDNIGHT + timedelta(days=3, hours=9), 1, [b'{"uuid":"newest"}'])
