"""The test set-up for both connectors: an emulator near the real time, with sample events."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from amplitude_emulator import Emulator, generate_hours
from integration_tests.upstream.connectors import our_connector, published_connector
from integration_tests.upstream.proxy import AmplitudeProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Project
    from integration_tests.upstream.connectors import CommandResult, Connector, Record

HOUR = timedelta(hours=1)
PUBLISH_DELAY = 3 * HOUR
# 0.6.19 requests every hour up to the real time, so the emulator cannot use a fixed day. Its clock starts behind the
# real time, because our connector uses the earlier of its own clock and Amplitude's.
BEHIND_AT_FIRST = 6 * HOUR
SAMPLE_HOURS = 54
EVENTS_PER_HOUR = 40
# All older than a day, so that our connector records them as empty instead of checking them again.
EMPTY_HOURS = (7, 8, 9, 15)
ODD_HOUR = 20


@dataclass(frozen=True)
class Scene:
    """An emulator with both connectors; hour numbers start at the first hour of the sample."""

    emulator: Emulator
    proxy: AmplitudeProxy
    upstream: Connector
    ours: Connector
    first_hour: datetime

    @property
    def config(self) -> dict[str, Any]:
        """A configuration of a 0.6.19 user; ours accepts it unchanged."""
        return self.config_of(self.emulator.project)

    def config_of(self, project: Project) -> dict[str, Any]:
        return {
            "api_key": project.api_key,
            "secret_key": project.secret_key,
            "start_date": f"{self.first_hour:%Y-%m-%dT%H:%M:%SZ}",
            "request_time_range": 24,
        }

    @property
    def newest_hour(self) -> datetime:
        """The newest published hour."""
        return floor_hour(self.emulator.clock.now() - PUBLISH_DELAY)

    def uuids(self, first: datetime, last: datetime) -> set[str]:
        """Return the stored uuids of these hours, both inclusive: the expected events of an export."""
        return {str(event["uuid"]) for event in self.emulator.store.events(first, last + HOUR)}


@contextmanager
def open_scene(folder: Path) -> Iterator[Scene]:
    """Start an emulator without events and with a stopped clock, and the proxy."""
    emulator = Emulator()
    now = emulator.clock.now()
    first_hour = floor_hour(now) - SAMPLE_HOURS * HOUR
    emulator.clock.set(now - BEHIND_AT_FIRST)
    with emulator, AmplitudeProxy(emulator.url, folder, now) as proxy:
        upstream, ours = published_connector(proxy, folder), our_connector(emulator.url, folder)
        yield Scene(emulator, proxy, upstream, ours, first_hour)


def fill(scene: Scene) -> None:
    """Store sample events up to now, with empty hours and one hour of odd lines."""
    store, project_id = scene.emulator.store, scene.emulator.project.project_id
    for number in range(SAMPLE_HOURS):
        hour = scene.first_hour + number * HOUR
        if number not in EMPTY_HOURS:
            generate_hours(store, seed=7, start=hour, end=hour + HOUR, events_per_hour=EVENTS_PER_HOUR)
    hour = scene.first_hour + ODD_HOUR * HOUR
    store.put_content(hour, 9999, b"\n".join(odd_lines(hour, project_id)))


def odd_lines(hour: datetime, project_id: int) -> list[bytes]:
    """Return lines with unusual values that 0.6.19 can read and that sample events do not have."""
    odd_times: list[object] = [
        None,
        "",
        "2026-01-02 03:04:05",
        "2026-01-02 03:04:05.678",
        "2026-01-02T03:04:05.678901Z",
        "2026-01-02T03:04:05+02:00",
        "2026-01-02",
        "2022:05:27 05:59:45.471635",
        "1969-12-31 23:59:59.000001",
    ]
    odd_bags: list[dict[str, object]] = [
        {"huge": 2**70, "low": -(2**64), "exact": 2**53 + 1},
        {"float": 1.0, "tiny": 1e-9, "large": 1e22, "minus zero": -0.0},
        {"null": None, "nested": [None, {"null": None}], "": "", "nul": "a\x00b"},
        {"not a number": float("nan")},
    ]
    events: list[dict[str, object]] = [{"client_event_time": time} for time in odd_times]
    events += [{"event_properties": bag} for bag in odd_bags]
    events += [{"followed_an_identify": True, "a future key": [1]}]
    return [_line(hour, number, {"app": project_id, **event}) for number, event in enumerate(events)]


def _line(hour: datetime, number: int, event: dict[str, object]) -> bytes:
    uploaded = f"{hour + timedelta(seconds=number):%Y-%m-%d %H:%M:%S.%f}"
    whole = {"uuid": f"odd-{number}", "event_type": "odd", "server_upload_time": uploaded, **event}
    return json.dumps(whole).encode()


def floor_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def by_uuid(result: CommandResult) -> dict[str, Record]:
    return {record["uuid"]: record for record in result.records}
