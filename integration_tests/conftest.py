"""The emulator for the tests in this folder, except those for a real account."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from integration_tests.standard_events import serve_standard_events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with serve_standard_events() as emulator:
        yield emulator


@pytest.fixture
def connector_environment(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redirect files of the standard tests to ``tmp_path``, and connect the connector to the emulator."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if request.node.get_closest_marker("requires_creds") is None:
        emulator: Emulator = request.getfixturevalue("emulator")
        monkeypatch.setenv("AMPLITUDE_API_URL", emulator.url)
        monkeypatch.setenv("no_proxy", "*")
