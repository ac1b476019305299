"""The emulator for Airbyte's standard tests, with the keys of emulator_config.json."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from amplitude_emulator import Emulator
from amplitude_emulator.sample_data import iter_sample

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2024, 5, 5, tzinfo=timezone.utc)
NOON = datetime(2024, 5, 6, 12, tzinfo=timezone.utc)
NEWEST_END = NOON - timedelta(hours=2)

# Lines of this endpoint have a text in paying and an empty client_upload_time. The connector emits them unchanged, but
# they do not match the schema, which equals upstream's.
OLD_ENDPOINT = b'"path":"/httpapi"'


@contextmanager
def serve_standard_events() -> Iterator[Emulator]:
    """Serve a day and a half of sample events."""
    with Emulator(now=NOON) as emulator:
        project_id = emulator.project.project_id
        for member in iter_sample(project_id, seed=7, start=START, end=NEWEST_END, events_per_hour=20):
            lines = [line for line in member.lines if OLD_ENDPOINT not in line]
            emulator.store.add_member(member.hour, lines, member.partition)
        yield emulator
