from __future__ import annotations

import pytest

from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Our own clock, at noon of 4 March 2026 like the emulator's."""
    return FakeClock(NOON)
