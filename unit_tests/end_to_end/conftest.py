from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.end_to_end.connector import Connector
from unit_tests.end_to_end.terminal import QuickConnector, ReadyProgram

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


@pytest.fixture
def quick_connector(emulator: Emulator, tmp_path: Path, ready_program: ReadyProgram) -> QuickConnector:
    return QuickConnector(emulator, tmp_path, ready_program)
