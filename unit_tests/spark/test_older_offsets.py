"""Checkpoints that commit e2beff4 saved: this version reads exactly the remaining hours."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from source_amplitude.config import MalformedLines
from source_amplitude.spark.options import LateFiles
from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.older_versions import (
    COMPLETED_LATER,
    START,
    add_late_events,
    amplitude_as_it_was,
    saved,
    uuids_in,
)
from unit_tests.spark.micro_batches import Checkpoint, KilledError, Query, amplitude_of, config_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Emulator

pytestmark = pytest.mark.parametrize("late_files", LateFiles, ids=lambda each: each.value)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with amplitude_as_it_was(tmp_path / "amplitude") as emulator:
        yield emulator


class Restarted:
    """A query that continues from a saved checkpoint."""

    def __init__(self, emulator: Emulator, late_files: LateFiles) -> None:
        self._late_files = late_files
        self._emulator = emulator
        self._clock = FakeClock(NOON)
        content = saved(f"offsets/{late_files.value}.json")
        self._committed: list[list[str]] = content["committed"]
        self._checkpoint = Checkpoint(content["offsets"], [[] for _ in self._committed])

    def run(self, kill_at: str = "") -> None:
        config = config_of(self._emulator, START, malformed_lines=MalformedLines.SKIP)
        amplitude = amplitude_of(self._emulator, config, self._clock)
        Query(amplitude, self._checkpoint, self._late_files, kill_at=kill_at).run()

    def pass_time(self, hours: int) -> None:
        self._emulator.clock.advance(timedelta(hours=hours))
        self._clock.advance(hours * 3600)

    @property
    def uuids(self) -> list[str]:
        """All events in the sink, written by the older version and by this version."""
        return sorted([uuid for batch in self._committed for uuid in batch] + uuids_in(self._checkpoint.lines))


def stored(emulator: Emulator) -> list[str]:
    return uuids_in(emulator.store.lines())


def test_the_planned_batch_and_all_later_hours_are_read_once(emulator: Emulator, late_files: LateFiles) -> None:
    query = Restarted(emulator, late_files)

    query.run()

    assert query.uuids == stored(emulator)


def test_a_driver_killed_twice_in_a_batch_loses_nothing(emulator: Emulator, late_files: LateFiles) -> None:
    query = Restarted(emulator, late_files)

    for _ in range(2):
        with suppress(KilledError):
            query.run("read")
    query.run()
    query.run()

    assert query.uuids == stored(emulator)


def test_late_files_of_hours_of_an_older_version_are_read_once(emulator: Emulator, late_files: LateFiles) -> None:
    query = Restarted(emulator, late_files)
    query.run()
    late = add_late_events(emulator)

    query.pass_time(6)
    query.run()
    query.pass_time(24)
    query.run()

    expected = set() if late_files is LateFiles.IGNORE else set(late)
    assert set(late).intersection(query.uuids) == expected
    assert query.uuids == [uuid for uuid in stored(emulator) if uuid not in set(late) - expected]
    assert COMPLETED_LATER in late
