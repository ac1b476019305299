"""Lock a folder, which has no conditional writes, against other threads and processes of this machine."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from source_amplitude.clock import SystemClock
from source_amplitude.errors import StoppedError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filelock import BaseFileLock

    from source_amplitude.clock import Clock
    from source_amplitude.landing.destination import StoreLimits

_logger = logging.getLogger("airbyte")

_POLL_SECONDS = 0.05


class FolderLock:
    """The lock of a folder; safe to use from several threads.

    Args:
        path: The lock file; its folder is created if it is missing.
        stop: Ends a wait once it is set.
    """

    def __init__(
        self, path: Path, limits: StoreLimits, stop: threading.Event | None = None, clock: Clock | None = None
    ) -> None:
        self._path = path
        self._limits = limits
        self._stop = stop or threading.Event()
        self._clock = clock or SystemClock()
        self._threads = threading.Lock()  # cheaper than a FileLock, which has to be polled
        self._waiting_since_seconds: float | None = None
        self._is_announced = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        Raises:
            StoreError: Another process holds the lock for too long. The next thread does not wait again.
            StoppedError: The stop event was set during the wait.
            OSError: The file system does not allow the lock.
        """
        from filelock import FileLock  # noqa: PLC0415 - installed only with the extra [land]

        with self._threads:
            self._path.parent.mkdir(exist_ok=True)
            lock = FileLock(self._path)
            while not _is_acquired(lock):
                self._wait()
            self._waiting_since_seconds = None
            try:
                yield
            finally:
                lock.release()

    def _wait(self) -> None:
        now_seconds = self._clock.monotonic_seconds()
        if self._waiting_since_seconds is None:
            self._waiting_since_seconds = now_seconds
        waited_seconds = now_seconds - self._waiting_since_seconds
        if self._stop.is_set():
            raise StoppedError
        if waited_seconds >= self._limits.lock_seconds:
            raise StoreError(
                f"{self._path} is locked by another process; waited {waited_seconds / 60:.0f} minutes for it.",
                next_step="Another land command on this machine holds the lock; it may be suspended (Ctrl-Z) or hang. "
                f"`fuser {self._path}` prints its process id. Continue or end that process, and run the command again.",
            )
        if waited_seconds >= self._limits.lock_notice_seconds and not self._is_announced:
            self._is_announced = True
            _logger.warning(
                "Waiting up to %.0f minutes for another process that has locked %s: a land command that is writing "
                "or suspended.",
                self._limits.lock_seconds / 60,
                self._path,
            )
        self._clock.sleep(_POLL_SECONDS)


def _is_acquired(lock: BaseFileLock) -> bool:
    from filelock import Timeout  # noqa: PLC0415 - as above

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
