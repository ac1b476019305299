from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator
from unit_tests.emulator.amplitude_client import AmplitudeClient

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def session_emulator() -> Iterator[Emulator]:
    with Emulator(now=NOON) as emulator:
        emulator.add_project(project_id=300400, region="eu")
        yield emulator


@pytest.fixture
def emulator(session_emulator: Emulator) -> Emulator:
    session_emulator.reset()
    return session_emulator


@pytest.fixture
def client(emulator: Emulator) -> AmplitudeClient:
    return AmplitudeClient(emulator)


@pytest.fixture
def nine() -> datetime:
    """The newest published hour at noon."""
    return datetime(2026, 3, 4, 9, tzinfo=timezone.utc)
