"""Waiting for the lock of a folder: reported after seconds, limited to minutes, ended by signals."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from source_amplitude.errors import StoppedError, StoreError
from source_amplitude.landing.destination import StoreLimits
from source_amplitude.landing.folder_lock import FolderLock
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

WAITING = (
    "Waiting up to 10 minutes for another process that has locked {}: a land command that is writing or suspended."
)


class BusyClock(FakeClock):
    """Calls an action when the waiting time is over."""

    def __init__(self, action: object, after_seconds: float) -> None:
        super().__init__()
        self._action, self._after_seconds = action, after_seconds

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if sum(self.sleeps) >= self._after_seconds and callable(self._action):
            self._action()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "_manifest" / ".lock"
    path.parent.mkdir()
    return path


def test_free_lock_is_held_without_a_wait(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()

    with FolderLock(path, StoreLimits(), clock=clock).held(), pytest.raises(TimeoutError):
        FileLock(path).acquire(timeout=0)

    assert (clock.sleeps, caplog.messages) == ([], [])


def test_long_wait_is_reported_once_and_continues(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = FileLock(path)
    other.acquire()
    clock = BusyClock(other.release, 60)
    lock = FolderLock(path, StoreLimits(), clock=clock)

    with lock.held():
        waited_seconds = sum(clock.sleeps)
    with lock.held():
        pass

    assert waited_seconds == pytest.approx(60, abs=0.1)
    assert caplog.messages == [WAITING.format(path)]


def test_short_wait_is_not_reported(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = FileLock(path)
    other.acquire()

    with FolderLock(path, StoreLimits(), clock=BusyClock(other.release, 4)).held():
        pass

    assert caplog.messages == []


def test_wait_ends_after_the_bound_also_for_the_next_thread(path: Path) -> None:
    clock = FakeClock()
    lock = FolderLock(path, StoreLimits(), clock=clock)

    with FileLock(path):
        with pytest.raises(StoreError) as raised, lock.held():
            pass
        waited_seconds = sum(clock.sleeps)
        with pytest.raises(StoreError), lock.held():
            pass
    with lock.held():
        pass

    assert waited_seconds == pytest.approx(600, abs=0.1)
    assert sum(clock.sleeps) == waited_seconds
    assert str(raised.value) == (
        f"{path} is locked by another process; waited 10 minutes for it. Another land command on this machine holds "
        f"the lock; it may be suspended (Ctrl-Z) or hang. `fuser {path}` prints its process id. Continue or end that "
        "process, and run the command again."
    )


def test_stop_ends_the_wait_at_once(path: Path) -> None:
    stop = threading.Event()
    clock = BusyClock(stop.set, 1)

    with FileLock(path), pytest.raises(StoppedError), FolderLock(path, StoreLimits(), stop, clock).held():
        pass

    assert sum(clock.sleeps) == pytest.approx(1, abs=0.1)
