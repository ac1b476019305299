"""An Amplitude of today, and the project as the pages install it, for tests that run the pages' commands."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator, generate_hours
from unit_tests.documents.blocks import PROJECT
from unit_tests.documents.shell import EVENTS, HOURS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def recent() -> Iterator[Emulator]:
    """An Amplitude of today, with events of the last hours."""
    with Emulator() as emulator:
        end = emulator.clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
        generate_hours(emulator.store, seed=1, start=end - timedelta(hours=HOURS), end=end, total_events=EVENTS)
        yield emulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project's folder after the installation."""
    (tmp_path / "env" / "bin").mkdir(parents=True)
    for program in ("source-amplitude", "python"):
        (tmp_path / "env" / "bin" / program).write_text(f'exec {Path(sys.executable).with_name(program)} "$@"\n')
        (tmp_path / "env" / "bin" / program).chmod(0o755)
    (tmp_path / "integration_tests").symlink_to(PROJECT / "integration_tests")
    return tmp_path
