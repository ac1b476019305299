from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.end_to_end.connector import Connector
from unit_tests.end_to_end.terminal import ReadyProgram

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Emulator


@pytest.fixture
def connector(emulator: Emulator, tmp_path: Path) -> Connector:
    return Connector(emulator, tmp_path)


@pytest.fixture(scope="session")
def ready_program() -> Iterator[ReadyProgram]:
    with ReadyProgram() as program:
        yield program
