from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator
from amplitude_emulator.sample_data import iter_sample
from integration_tests.environments import NoSuitablePythonError
from integration_tests.pyairbyte.environment import ENVIRONMENT
from integration_tests.pyairbyte.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = datetime(2026, 3, 3, tzinfo=timezone.utc)
NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)
SAMPLE_HOURS = 64
EVENTS_PER_HOUR = 20

# Lines of this endpoint have an empty client_upload_time, which does not fit the column; a separate test covers it.
OLD_ENDPOINT = b'"path":"/httpapi"'


@pytest.fixture(scope="session")
def environment() -> None:
    try:
        ENVIRONMENT.make()
    except NoSuitablePythonError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def sandbox(environment: None, tmp_path: Path) -> Iterator[Sandbox]:  # noqa: ARG001 - must exist first
    """A sandbox at noon of the second day; its events continue for 28 more hours."""
    with Emulator(now=NOON) as emulator:
        put_sample(emulator, seed=7, start=FIRST, end=FIRST + timedelta(hours=SAMPLE_HOURS))
        yield Sandbox(emulator, tmp_path)


def put_sample(
    emulator: Emulator, *, seed: int, start: datetime, end: datetime, total_events: int | None = None
) -> int:
    """Store sample events as new members, and return their number."""
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
