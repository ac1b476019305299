from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator
from amplitude_emulator.sample_data import iter_sample
from integration_tests.environments import NoSuitablePythonError
from integration_tests.pyairbyte.desk import Desk
from integration_tests.pyairbyte.environment import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = datetime(2026, 3, 3, tzinfo=timezone.utc)
NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)
SAMPLE_HOURS = 64
EVENTS_PER_HOUR = 20

# Lines of this endpoint have an empty client_upload_time, for which the column has no room; a test has its own.
OLD_ENDPOINT = b'"path":"/httpapi"'


@pytest.fixture(scope="session")
def environment() -> None:
    try:
        ENVIRONMENT.make()
    except NoSuitablePythonError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def desk(environment: None, tmp_path: Path) -> Iterator[Desk]:  # noqa: ARG001 - must be there first
    """At noon of the second day; events go on for 28 hours after it."""
    with Emulator(now=NOON) as emulator:
        put_sample(emulator, seed=7, start=FIRST, end=FIRST + timedelta(hours=SAMPLE_HOURS))
        yield Desk(emulator, tmp_path)


def put_sample(
    emulator: Emulator, *, seed: int, start: datetime, end: datetime, total_events: int | None = None
) -> int:
    """Store sample events as new members, and return how many they are."""
    stored = 0
    sample = iter_sample(
        emulator.project.project_id,
        seed=seed,
        start=start,
        end=end,
        events_per_hour=EVENTS_PER_HOUR,
        total_events=total_events,
    )
    for member in sample:
        lines = [line for line in member.lines if OLD_ENDPOINT not in line]
        emulator.store.add_member(member.hour, lines)
        stored += len(lines)
    return stored
