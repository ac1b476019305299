from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from integration_tests.environments import NoSuitablePythonError
from integration_tests.upstream.environment import ENVIRONMENT
from integration_tests.upstream.scene import BEHIND_AT_FIRST, HOUR, Scene, fill, open_scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from integration_tests.upstream.connectors import CommandResult


NOT_FOUND = 404


@dataclass(frozen=True)
class FirstReads:
    """The reads of both connectors without a state; 0.6.19 also hour by hour."""

    upstream: CommandResult
    ours: CommandResult
    hourly: CommandResult
    hours_without_files: set[str]
    newest_hour: datetime
    late_hour: datetime


@pytest.fixture(scope="session")
def environment() -> None:
    try:
        ENVIRONMENT.make()
    except NoSuitablePythonError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def scene(environment: None, tmp_path: Path) -> Iterator[Scene]:  # noqa: ARG001 - must be there first
    """A scene without events."""
    with open_scene(tmp_path) as scene:
        yield scene


@pytest.fixture(scope="module")
def sample(environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:  # noqa: ARG001 - as above
    """A scene with sample events, one hour of them published late. Tests must not change it."""
    with open_scene(tmp_path_factory.mktemp("sample")) as scene:
        fill(scene)
        yield scene


@pytest.fixture(scope="module")
def first_reads(sample: Scene) -> FirstReads:
    late_hour = sample.newest_hour - 2 * HOUR
    sample.emulator.store.publish_at(late_hour, sample.emulator.clock.now() + HOUR)
    upstream, ours = sample.upstream.read(sample.config), sample.ours.read(sample.config)
    sample.emulator.clear_requests()
    hourly = sample.upstream.read(sample.config | {"request_time_range": 1})
    without_files = {request.query["start"] for request in sample.emulator.requests if request.status == NOT_FOUND}
    return FirstReads(upstream, ours, hourly, without_files, sample.newest_hour, late_hour)


@pytest.fixture(scope="module")
def after(sample: Scene, first_reads: FirstReads) -> FirstReads:
    """The same reads, after which six more hours and the late hour were published."""
    sample.emulator.clock.advance(BEHIND_AT_FIRST)
    return first_reads
