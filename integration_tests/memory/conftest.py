"""Skip these tests unless ``-m`` selects them, because they take minutes and 4 GB of disk: ``make test-memory``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)

Report = Callable[[str, object], None]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "memory" in config.option.markexpr:
        return
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason="takes minutes and 4 GB of disk; run `make test-memory`"))


@pytest.fixture(scope="session")
def memory_emulator() -> Iterator[Emulator]:
    with Emulator(now=NOON) as emulator:
        yield emulator


@pytest.fixture
def emulator(memory_emulator: Emulator) -> Emulator:
    """An emulator without events, at noon of 4 March 2026."""
    memory_emulator.reset()
    return memory_emulator


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Show a measurement on the terminal even when the test passes."""

    def show(name: str, measured: object) -> None:
        with capsys.disabled():
            print(f"\n  {name}: {measured}")  # noqa: T201 - what these tests are run for

    return show
