from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from amplitude_emulator import Emulator, generate_hours
from unit_tests.arbitrary_values import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

# All processors run tests, so the time of an example depends on the load of the machine.
settings.register_profile(
    "busy machine",
    settings(),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=examples(100),
)
settings.load_profile("busy machine")

NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def session_emulator() -> Iterator[Emulator]:
    with Emulator(now=NOON) as emulator:
        yield emulator


@pytest.fixture
def emulator(session_emulator: Emulator) -> Emulator:
    """An empty Amplitude at noon on 4 March 2026."""
    session_emulator.reset()
    return session_emulator


@pytest.fixture
def half_a_day(emulator: Emulator) -> Emulator:
    """Ten published hours of events; hours 3 and 4 are empty."""
    fill(emulator, 0, 10, events_per_hour=40, empty=(3, 4))
    return emulator


def fill(emulator: Emulator, first: int, end: int, *, events_per_hour: int = 40, empty: tuple[int, ...] = ()) -> None:
    """Store sample events for the hours ``first`` to ``end`` of 4 March 2026."""
    for hour in range(first, end):
        if hour not in empty:
            moment = NOON.replace(hour=hour)
            after = moment + timedelta(hours=1)
            generate_hours(emulator.store, seed=hour + 1, start=moment, end=after, total_events=events_per_hour)
