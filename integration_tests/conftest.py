"""A local Amplitude for the tests of this folder, unless they are marked for a real account."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator
from amplitude_emulator.sample_data import iter_sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2024, 5, 5, tzinfo=timezone.utc)
NOON = datetime(2024, 5, 6, 12, tzinfo=timezone.utc)
NEWEST_END = NOON - timedelta(hours=2)

# Lines of this endpoint have a text in paying and an empty client_upload_time; they leave as they are, and the schema,
# which is upstream's, has no room for them.
OLD_ENDPOINT = b'"path":"/httpapi"'


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Serve a day and a half of sample events to the keys in emulator_config.json."""
    with Emulator(now=NOON) as emulator:
        project_id = emulator.project.project_id
        for member in iter_sample(project_id, seed=7, start=START, end=NEWEST_END, events_per_hour=20):
            lines = [line for line in member.lines if OLD_ENDPOINT not in line]
            emulator.store.add_member(member.hour, lines, member.partition)
        yield emulator


@pytest.fixture
def surroundings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the standard tests write out of the system's folder, and point the connector at the emulator."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if request.node.get_closest_marker("requires_creds") is None:
        emulator: Emulator = request.getfixturevalue("emulator")
        monkeypatch.setenv("AMPLITUDE_API_URL", emulator.url)
        monkeypatch.setenv("no_proxy", "*")
