"""Archives on disk: nameless temporary files whose bytes together stay inside a budget."""

from __future__ import annotations

import shutil
import tempfile
import threading
from typing import BinaryIO, cast

from source_amplitude.disk import TemporaryBody

_FREE_SPACE_PART = 4


class SpoolClosedError(Exception):
    """The stream ended while a download was still writing; nobody waits for it any more."""


class DiskBudget:
    """Counts the bytes of all archives on disk and makes downloads wait while there are too many.

    The download that the reader waits for is urgent: it never waits, or an archive above the budget would never
    arrive.

    Attributes:
        waiting: How many downloads wait now.
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
        """Wait until ``count`` more bytes fit, or ``urgent`` is set.

        Raises:
            SpoolClosedError: The budget was closed meanwhile.
        """
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
        """How many bytes of archives are on the disk now."""
        with self._changed:
            return self._used_bytes

    def give_back(self, count: int) -> None:
        """Note that ``count`` bytes left the disk."""
        with self._changed:
            self._used_bytes -= count
            self._changed.notify_all()

    def hurry(self, urgent: threading.Event) -> None:
        """Set ``urgent`` and wake the download that waits with it."""
        with self._changed:
            urgent.set()
            self._changed.notify_all()

    def close(self) -> None:
        """Make every waiting and later download fail."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class SpoolFile:
    """One archive's file, which takes from a budget what it writes.

    Every method raises a DiskFullError if the disk has no room.
    """

    def __init__(self, budget: DiskBudget, urgent: threading.Event) -> None:
        self._budget = budget
        self._urgent = urgent
        self._body = TemporaryBody("archive", budget.folder)
        self.archive_bytes = 0

    @property
    def file(self) -> BinaryIO:
        """The open file."""
        return cast("BinaryIO", self._body.file)

    def expect(self, total_bytes: int) -> None:
        """Check that an archive of ``total_bytes`` has room before it is downloaded."""
        # What is spooled already is read and deleted before this archive is needed.
        self._body.expect(total_bytes, freed_bytes=self._budget.used_bytes)

    def write(self, data: bytes) -> int:
        """Append ``data`` once the budget allows."""
        self._budget.take(len(data), self._urgent)
        self.archive_bytes += len(data)
        return self._body.write(data)

    def flush(self) -> None:
        self._body.flush()

    def empty(self) -> None:
        """Forget what was written, for another attempt."""
        self._body.empty()
        self._give_back()

    def close(self) -> None:
        """Delete the file; calling it again does nothing."""
        self._body.close()
        self._give_back()

    def _give_back(self) -> None:
        self._budget.give_back(self.archive_bytes)
        self.archive_bytes = 0
