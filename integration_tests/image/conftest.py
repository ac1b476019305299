"""Skip these tests unless ``-m`` selects them, because they install from the package index: ``make test-image``."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator, generate_hours
from integration_tests.image.image import Image, NoBasePythonError, NoNamespaceError, build
from integration_tests.image.linters import NoLinterError, install

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr == "image":
        return
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason="installs from the package index; run `make test-image`"))


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("image")
    try:
        yield build(folder)
    except (NoBasePythonError, NoNamespaceError) as reason:
        pytest.skip(str(reason))
    finally:
        shutil.rmtree(folder)  # pytest would keep hundreds of megabytes of each of the last three runs


@pytest.fixture(scope="session")
def linters() -> None:
    try:
        install()
    except NoLinterError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Ten hours of events, all published."""
    with Emulator(now=NOON) as emulator:
        start = NOON - timedelta(hours=12)
        generate_hours(emulator.store, seed=7, start=start, end=NOON - timedelta(hours=2), events_per_hour=20)
        yield emulator
