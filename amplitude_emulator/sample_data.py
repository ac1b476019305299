"""Seeded sample events: the same seed, hours and count give the same lines on every machine."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from amplitude_emulator.hours import iter_hours
from amplitude_emulator.partitions import partition_of, partitions_of_project
from amplitude_emulator.sample_templates import OLD_DEVICES, make_templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amplitude_emulator.store import HourStore

USERS = 600
OLD_DIALECT_SHARE = 0.05
FEWEST_MEMBERS, MOST_MEMBERS = 3, 6
# Nights and some single hours have no events; exports have no members for them (reference 1.5).
NIGHT_HOURS, NIGHT_EMPTY_SHARE, DAY_EMPTY_SHARE = (1, 2, 3), 0.5, 0.03
# "5-10 % of events arrive hours or days late" is one author's figure for one app (reference 1.2).
LATE_SHARE = 0.06
WORDS = ("alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "iroko", "juniper")


@dataclass(frozen=True)
class SampleMember:
    """The lines of a member that is not stored yet."""

    hour: datetime
    partition: int
    lines: list[bytes]


def generate_hours(
    store: HourStore,
    *,
    seed: int,
    start: datetime,
    end: datetime,
    events_per_hour: int = 300,
    total_events: int | None = None,
) -> int:
    """Fill a store with sample events.

    Args:
        store: The store to fill; it must not have members of the same hours and partitions yet.
        seed: The seed of all random values.
        start: The first upload hour.
        end: The hour after the last one.
        events_per_hour: The average over the hours that have events.
        total_events: The exact total, instead of the average.

    Returns:
        The number of events.
    """
    made = 0
    sample = iter_sample(
        store.project_id,
        seed=seed,
        start=start,
        end=end,
        events_per_hour=events_per_hour,
        total_events=total_events,
    )
    for member in sample:
        store.add_member(member.hour, member.lines, member.partition)
        made += len(member.lines)
    return made


def iter_sample(
    project_id: int,
    *,
    seed: int,
    start: datetime,
    end: datetime,
    events_per_hour: int = 300,
    total_events: int | None = None,
) -> Iterator[SampleMember]:
    """Yield the members that `generate_hours` stores, by hour."""
    hours = list(iter_hours(start, end))
    weights = [_weight(hour, seed) for hour in hours]
    if not any(weights):
        weights = [1.0] * len(hours)
    total = total_events
    if total is None:
        total = events_per_hour * sum(1 for weight in weights if weight)
    crowd = _Crowd(project_id, seed)
    for hour, count in zip(hours, allocate(total, weights), strict=True):
        yield from crowd.members(hour, count)


def allocate(total: int, weights: Sequence[float]) -> list[int]:
    """Divide a whole number in proportion to weights; the parts add up to it exactly."""
    scale = total / sum(weights) if weights else 0.0
    ends = [round(scale * partial_sum) for partial_sum in _partial_sums(weights)]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def _partial_sums(weights: Sequence[float]) -> Iterator[float]:
    done = 0.0
    for weight in weights:
        done += weight
        yield done


def _weight(hour: datetime, seed: int) -> float:
    """Return the relative activity of an hour: highest in the early evening, 0 for an empty hour."""
    chance = random.Random(f"weight/{seed}/{hour.isoformat()}")
    empty_share = NIGHT_EMPTY_SHARE if hour.hour in NIGHT_HOURS else DAY_EMPTY_SHARE
    if chance.random() < empty_share:
        return 0.0
    rhythm = 1.1 + math.sin((hour.hour - 12) / 24 * 2 * math.pi)
    return rhythm * chance.uniform(0.8, 1.2)


@dataclass(frozen=True)
class _User:
    amplitude_id: int
    user_id: str
    device_id: str
    device: int


class _Crowd:
    """The users of a project; each always sends the same kinds of events from the same device."""

    def __init__(self, project_id: int, seed: int) -> None:
        self._seed = seed
        self._templates = make_templates(project_id)
        self._partitions = partitions_of_project(seed, project_id)
        chance = random.Random(f"crowd/{seed}/{project_id}")
        self._users: dict[int, list[_User]] = {number: [] for number in self._partitions}
        for index in range(USERS):
            amplitude_id = chance.randrange(10**11, 10**13)
            is_old = chance.random() < OLD_DIALECT_SHARE
            devices = len(self._templates) - len(OLD_DEVICES)
            self._users[partition_of(amplitude_id, self._partitions)].append(
                _User(
                    amplitude_id,
                    user_id=f"user-{index:05}",
                    device_id=_hex_uuid(chance),
                    device=devices if is_old else chance.randrange(devices),
                )
            )

    def members(self, hour: datetime, count: int) -> Iterator[SampleMember]:
        chance = random.Random(f"hour/{self._seed}/{hour.isoformat()}")
        number = min(chance.randint(FEWEST_MEMBERS, MOST_MEMBERS), count)
        partitions = sorted(chance.sample(self._partitions, number))
        sizes = allocate(count, [chance.uniform(0.5, 1.5) for _ in partitions])
        for partition, size in zip(partitions, sizes, strict=True):
            if size:
                users = self._users[partition]
                # A member's lines are roughly in the order of upload, as observed (reference 1.5).
                offsets = sorted(chance.randrange(3_600_000) for _ in range(size))
                lines = [self._line(chance, users, hour, offset_ms) for offset_ms in offsets]
                yield SampleMember(hour, partition, lines)

    def _line(self, chance: random.Random, users: list[_User], hour: datetime, offset_ms: int) -> bytes:
        user = users[int(chance.random() * len(users))]
        templates = self._templates[user.device]
        uploaded = hour + timedelta(milliseconds=offset_ms)
        received = uploaded - timedelta(milliseconds=4 + chance.random() * 16 // 1)
        age_seconds = chance.random() * 20
        if chance.random() < LATE_SHARE:
            age_seconds += chance.random() * 5 * 86_400
        event_time = _format_time(received - timedelta(milliseconds=age_seconds * 1000 // 1))
        price = int(chance.random() * 10_000) / 100
        return (
            templates[int(chance.random() * len(templates))]
            % {
                "amplitude_id": user.amplitude_id,
                "user_id": user.user_id,
                "device_id": user.device_id,
                "client_event_time": event_time,
                "client_upload_time": _format_time(received),
                "event_time": event_time,
                "processed_time": _format_time(uploaded + timedelta(milliseconds=500 + offset_ms % 2500)),
                "server_received_time": _format_time(received),
                "server_upload_time": _format_time(uploaded),
                "insert_id": _hex_uuid(chance),
                "uuid": _hex_uuid(chance),
                "event_id": chance.getrandbits(16),
                "session_id": int(hour.timestamp()) * 1000 + (offset_ms & ~0xFFFFF),
                "price": price,
                "revenue": price * 2,
                "word": WORDS[offset_ms % len(WORDS)],
            }
        ).encode()


def _hex_uuid(chance: random.Random) -> str:
    """Return a random (version 4) UUID as text; several times faster than `uuid.UUID`."""
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _format_time(moment: datetime) -> str:
    """Format a time as exported lines do: a space, microseconds, no zone (reference 7)."""
    return moment.isoformat(" ", "microseconds")[:26]
