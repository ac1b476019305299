from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.airbyte.streams.rest_host import Project
from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from amplitude_emulator import Emulator


@pytest.fixture
def clock() -> FakeClock:
    """The connector's clock: noon of 4 March 2026, like the emulator's."""
    return FakeClock(NOON)


@pytest.fixture
def project(emulator: Emulator) -> Project:
    """The emulator's project with sample content, at noon of 4 March 2026, when 3 March has just ended everywhere."""
    return Project(emulator)
