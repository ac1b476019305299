from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.end_to_end.connector import Connector

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator


@pytest.fixture
def connector(emulator: Emulator, tmp_path: Path) -> Connector:
    return Connector(emulator, tmp_path)
