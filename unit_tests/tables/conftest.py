from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.airbyte.streams.rest_host import Project

if TYPE_CHECKING:
    from amplitude_emulator import Emulator


@pytest.fixture
def project(emulator: Emulator) -> Project:
    """The emulator's project with its sample content, at noon of 4 March 2026: 3 March has just ended everywhere."""
    return Project(emulator)
