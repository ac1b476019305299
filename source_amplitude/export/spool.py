"""Archives on disk: unnamed temporary files with a common disk budget."""

from __future__ import annotations

import shutil
import tempfile
import threading

from source_amplitude.disk import TemporaryBody

_FREE_SPACE_PART = 4


class SpoolClosedError(Exception):
    """The stream ended while a download was still writing. The download is abandoned."""


class DiskBudget:
    """Counts the bytes of all archives on disk; downloads wait while the budget is used up.

    The reader's next download is urgent and never waits. Otherwise an archive above the budget would wait forever.
    """

    def __init__(self, most_bytes: int, folder: str | None = None) -> None:
        self.folder = folder or tempfile.gettempdir()
        free_bytes = shutil.disk_usage(self.folder).free
        self._most_bytes = min(most_bytes, free_bytes // _FREE_SPACE_PART)
        self._used_bytes = 0
        self._closed = False
        self._changed = threading.Condition()
        self.waiting = 0

    def take(self, count: int, urgent: threading.Event) -> None:
        """Wait until ``count`` more bytes fit or ``urgent`` is set; raise a SpoolClosedError once closed."""
        with self._changed:
            self.waiting += 1
            self._changed.wait_for(
                lambda: self._closed or urgent.is_set() or self._used_bytes + count <= self._most_bytes
            )
            self.waiting -= 1
            if self._closed:
                raise SpoolClosedError
            self._used_bytes += count

    @property
    def used_bytes(self) -> int:
        with self._changed:
            return self._used_bytes

    def give_back(self, count: int) -> None:
        with self._changed:
            self._used_bytes -= count
            self._changed.notify_all()

    def hurry(self, urgent: threading.Event) -> None:
        """Set ``urgent`` and wake up its download."""
        with self._changed:
            urgent.set()
            self._changed.notify_all()

    def close(self) -> None:
        """Fail all waiting and later downloads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class SpoolFile(TemporaryBody):
    """The file of one archive; its bytes count against a budget."""

    def __init__(self, budget: DiskBudget, urgent: threading.Event) -> None:
        super().__init__("archive", budget.folder)
        self._budget = budget
        self._urgent = urgent
        self.archive_bytes = 0

    def expect(self, total_bytes: int, /, *, freed_bytes: int = 0) -> None:
        # Earlier archives are read and deleted before this one is needed.
        super().expect(total_bytes, freed_bytes=freed_bytes + self._budget.used_bytes)

    def write(self, data: bytes, /) -> int:
        self._budget.take(len(data), self._urgent)
        self.archive_bytes += len(data)
        return super().write(data)

    def empty(self) -> None:
        super().empty()
        self._give_back()

    def close(self) -> None:
        super().close()
        self._give_back()

    def _give_back(self) -> None:
        self._budget.give_back(self.archive_bytes)
        self.archive_bytes = 0
