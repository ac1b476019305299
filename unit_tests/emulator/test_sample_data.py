from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from amplitude_emulator import HourStore, generate_hours
from amplitude_emulator.blobs import MemoryBlobs
from amplitude_emulator.line_keys import NULL_LINE
from amplitude_emulator.sample_data import allocate, iter_sample

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
END = START + timedelta(days=3)


def make(seed: int = 7, **settings: int) -> HourStore:
    store = HourStore(100200, MemoryBlobs())
    generate_hours(store, seed=seed, start=START, end=END, **settings)
    return store


@pytest.fixture(scope="module")
def sample() -> HourStore:
    return make(total_events=6000)


@pytest.fixture(scope="module")
def events(sample: HourStore) -> list[dict[str, object]]:
    return sample.events()


def test_number_of_events_is_exact_and_rows_are_unique(events: list[dict[str, object]]) -> None:
    assert (len(events), len({event["uuid"] for event in events})) == (6000, 6000)


def test_lines_depend_on_the_seed(sample: HourStore) -> None:
    assert make(total_events=6000).lines() == sample.lines()
    assert make(seed=8, total_events=6000).lines() != sample.lines()


def test_number_of_events_is_returned() -> None:
    store = HourStore(100200, MemoryBlobs())
    made = generate_hours(store, seed=7, start=START, end=END, events_per_hour=50)
    hours_with_events = {member.name.hour for member in store.members()}

    assert made == len(store.lines()) == 50 * len(hours_with_events)


def test_lines_are_complete_and_in_their_upload_hour(sample: HourStore) -> None:
    for member in sample.members():
        hour = member.name.hour
        for event in sample.events(hour, hour + timedelta(hours=1)):
            assert list(event) == list(NULL_LINE)
            assert str(event["server_upload_time"])[:13] == hour.strftime("%Y-%m-%d %H")


def test_hours_are_empty_or_have_three_to_six_members(sample: HourStore) -> None:
    partitions: dict[datetime, list[int]] = {}
    for member in sample.members():
        partitions.setdefault(member.name.hour, []).append(member.name.partition)
    counts = {len(numbers) for numbers in partitions.values()}

    assert 48 < len(partitions) < 72
    assert counts == {3, 4, 5, 6}
    assert len({number for numbers in partitions.values() for number in numbers}) == 6


def test_lines_have_realistic_sizes_and_values(sample: HourStore, events: list[dict[str, object]]) -> None:
    lines = sample.lines()
    average_bytes = sum(map(len, lines)) / len(lines)
    property_keys = {key for event in events for key in _object(event["event_properties"])}

    assert 1500 < average_bytes < 2200
    assert {"button.id", "order id", "$price", "[Amplitude] Page URL", "event_time", "uuid"} <= property_keys
    assert any(b"\\ud83c\\udfa7" in line for line in lines)
    assert any("🚴".encode() in line for line in lines)
    assert {event["$schema"] for event in events} == {None, 13}
    assert {event["paying"] for event in events} == {None, True, "true"}
    assert {event["client_upload_time"] for event in events if event["$schema"] == 13} == {""}
    assert sum(event["$schema"] is None for event in events) > len(events) * 0.8


def test_some_events_are_days_late(events: list[dict[str, object]]) -> None:
    late = [event for event in events if str(event["event_time"])[:10] < str(event["server_upload_time"])[:10]]

    assert 0.02 < len(late) / len(events) < 0.1


def test_sample_works_without_a_store(sample: HourStore) -> None:
    made = iter_sample(100200, seed=7, start=START, end=END, total_events=6000)

    assert sorted(line for member in made for line in member.lines) == sorted(sample.lines())


@pytest.mark.parametrize(("total", "weights"), [(10, [1, 1, 1]), (0, [1]), (7, [0, 2, 0, 5]), (1, [0.1] * 30)])
def test_allocation_adds_up(total: int, weights: list[float]) -> None:
    parts = allocate(total, weights)

    assert (len(parts), sum(parts)) == (len(weights), total)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_twenty_thousand_events_take_little_time() -> None:
    before = time.process_time()
    make(total_events=20_000)

    assert time.process_time() - before < 6


def _object(value: object) -> dict[str, object]:
    decoded = json.loads(json.dumps(value))
    assert isinstance(decoded, dict)
    return decoded
