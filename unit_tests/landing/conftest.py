from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.landing.program import Program

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator


@pytest.fixture
def program(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Program:
    return Program(emulator, tmp_path, capsys, monkeypatch)
