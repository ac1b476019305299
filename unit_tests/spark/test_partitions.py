from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.encoding import SerialEncoder
from source_amplitude.errors import (
    CorruptArchiveError,
    EmptyArchiveError,
    HoursMissingError,
    NotPublishedError,
    OtherProjectError,
)
from source_amplitude.members import Fingerprint
from source_amplitude.spark.partitions import Partition, read_partition, split_partition
from source_amplitude.windows import HOUR, HourSet, HourWindow, hour_window
from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.spark.micro_batches import amplitude_of, config_of, raw_lines

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

MIDNIGHT = NOON.replace(hour=0)
HOURS = st.integers(0, 60).map(lambda hour: datetime(2026, 3, 4, tzinfo=timezone.utc) + timedelta(hours=hour))


def hours(first: int, end: int) -> HourSet:
    return HourSet((HourWindow(MIDNIGHT + HOUR * first, MIDNIGHT + HOUR * end),))


def at(hour: int) -> datetime:
    return MIDNIGHT + HOUR * hour


def read(emulator: Emulator, partition: Partition) -> list[bytes]:
    amplitude = amplitude_of(emulator, config_of(emulator, MIDNIGHT), FakeClock(NOON))
    return [line for payload in read_partition(partition, amplitude, SerialEncoder(raw_lines)) for line in payload]


@given(st.sets(HOURS), st.integers(1, 9), st.integers(1, 5))
def test_each_hour_is_in_one_of_a_limited_number_of_partitions(
    wanted: set[datetime], window_hours: int, most: int
) -> None:
    partition = Partition(HourSet.of(map(hour_window, wanted)), "1", HourSet.of(map(hour_window, sorted(wanted)[::2])))

    parts = split_partition(partition, window_hours=window_hours, most=most)

    assert len(parts) <= most
    assert sorted(hour for part in parts for hour in part.hours) == sorted(wanted)
    assert HourSet.of(window for part in parts for window in part.expected.windows) == partition.expected
    assert all(part.hours.windows and part.project == "1" for part in parts)


def test_windows_are_assigned_round_robin() -> None:
    parts = split_partition(Partition(hours(0, 10)), window_hours=2, most=3)

    assert [part.hours for part in parts] == [hours(0, 2) | hours(6, 8), hours(2, 4) | hours(8, 10), hours(4, 6)]


def test_a_partition_reads_its_hours_and_no_others(half_a_day: Emulator) -> None:
    lines = read(half_a_day, Partition(hours(1, 3) | hours(6, 7)))

    stored = [line for hour in (1, 2, 6) for line in half_a_day.store.lines(at(hour), at(hour + 1))]
    assert sorted(lines) == sorted(stored)


def test_a_task_fails_on_an_archive_without_files_of_its_hours(half_a_day: Emulator) -> None:
    half_a_day.faults.add("empty_archive", hour=at(1))

    with pytest.raises(EmptyArchiveError) as caught:
        read(half_a_day, Partition(hours(1, 2)))

    assert caught.value.what == "The archive for 2026-03-04 01:00 UTC contains no file of these hours."


def test_a_member_is_read_from_its_known_part_to_its_bound(emulator: Emulator) -> None:
    store = emulator.store
    for text in (b'{"n":1}', b'{"n":2}', b'{"n":3}'):
        store.append_lines(MIDNIGHT, 1, [text])
    store.append_lines(MIDNIGHT, 2, [b'{"n":4}'])
    name = str(store.member(MIDNIGHT, 1).name)
    known, bound = fingerprint(b'{"n":1}\n'), fingerprint(b'{"n":1}\n{"n":2}\n')

    lines = read(emulator, Partition(hours(0, 1), known={MIDNIGHT: {name: known}}, bounds={MIDNIGHT: {name: bound}}))

    assert lines == [b'{"n":2}']


def test_a_member_rewritten_after_planning_is_read_completely(emulator: Emulator) -> None:
    emulator.store.append_lines(MIDNIGHT, 1, [b'{"n":5}', b'{"n":6}', b'{"n":7}'])
    name = str(emulator.store.member(MIDNIGHT, 1).name)

    lines = read(emulator, Partition(hours(0, 1), bounds={MIDNIGHT: {name: fingerprint(b'{"n":1}\n{"n":2}\n')}}))

    assert lines == [b'{"n":5}', b'{"n":6}', b'{"n":7}']


def test_a_member_deleted_after_planning_fails_the_task(emulator: Emulator) -> None:
    emulator.store.append_lines(MIDNIGHT, 1, [b'{"n":5}'])
    name = str(emulator.store.member(MIDNIGHT, 1).name)
    other = name.replace("#1", "#2")

    with pytest.raises(HoursMissingError, match=f"no longer contains the member {other}") as raised:
        read(emulator, Partition(hours(0, 1), bounds={MIDNIGHT: {other: fingerprint(b'{"n":1}\n')}}))

    assert CorruptArchiveError.__name__ not in str(raised.value)


def test_an_hour_deleted_after_planning_fails_the_task(half_a_day: Emulator) -> None:
    with pytest.raises(NotPublishedError, match="no longer has files for 2026-03-04 03:00 UTC"):
        read(half_a_day, Partition(hours(2, 5), expected=hours(2, 4)))


def test_only_a_missing_hour_is_requested_again(half_a_day: Emulator) -> None:
    amplitude = amplitude_of(half_a_day, config_of(half_a_day, MIDNIGHT), FakeClock(NOON))
    half_a_day.store.publish_at(at(2), NOON + HOUR)
    clock = PublishingClock(half_a_day, at(2))
    partition = Partition(hours(0, 3), expected=hours(0, 3))

    rows = [
        row
        for rows in read_partition(partition, replace(amplitude, clock=clock), SerialEncoder(raw_lines))
        for row in rows
    ]

    assert sorted(rows) == sorted(half_a_day.store.lines(at(0), at(3)))
    assert len(clock.sleeps) == 1


class PublishingClock(FakeClock):
    """A clock that publishes an hour during a sleep."""

    def __init__(self, emulator: Emulator, hour: datetime) -> None:
        super().__init__(NOON)
        self._emulator = emulator
        self._hour = hour

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._emulator.store.publish_at(self._hour, None)


def test_archives_of_another_project_fail_the_task(half_a_day: Emulator) -> None:
    with pytest.raises(OtherProjectError):
        read(half_a_day, Partition(hours(0, 1), project="1"))


def test_a_task_stops_at_its_first_failing_window(half_a_day: Emulator) -> None:
    half_a_day.faults.add("server_error", hour=MIDNIGHT)

    with pytest.raises(HoursMissingError, match="2026-03-04 00:00 to 02:00 UTC"):
        read(half_a_day, Partition(hours(0, 10)))

    asked = {seen.query["start"] for seen in half_a_day.requests}
    assert asked == {"20260304T00"}


def fingerprint(content: bytes) -> Fingerprint:
    return Fingerprint(len(content), zlib.crc32(content))
