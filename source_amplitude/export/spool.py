"""Archives on disk: nameless temporary files whose bytes together stay inside a budget."""

from __future__ import annotations

import errno
import shutil
import tempfile
import threading
from contextlib import suppress
from typing import IO, BinaryIO, cast

from source_amplitude.errors import DiskFullError

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


def require_temporary_folder() -> None:
    """Return if archives can be kept somewhere while they are read.

    Raises:
        DiskFullError: They cannot.
    """
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise DiskFullError("There is no folder for temporary files that can be written.") from error


class SpoolFile:
    """One archive's file: unlinked as soon as it is open, so that even a killed process leaves nothing."""

    def __init__(self, budget: DiskBudget, urgent: threading.Event) -> None:
        self._budget = budget
        self._urgent = urgent
        self.archive_bytes = 0
        try:
            self._file = tempfile.TemporaryFile(dir=budget.folder, prefix="source-amplitude-")  # noqa: SIM115 - close()
        except OSError as error:
            raise self._disk_error(error, 0) from error

    @property
    def file(self) -> BinaryIO:
        """The open file."""
        return cast("BinaryIO", cast("IO[bytes]", self._file))

    def expect(self, total_bytes: int) -> None:
        """Check that an archive of ``total_bytes`` has room before it is downloaded.

        Raises:
            DiskFullError: It has not.
        """
        # What is spooled already is read and deleted before this archive is needed.
        free_bytes = shutil.disk_usage(self._budget.folder).free + self._budget.used_bytes
        if total_bytes > free_bytes:
            raise DiskFullError(
                f"The folder {self._budget.folder} has {free_bytes:,} bytes free, "
                f"and the archive needs {total_bytes:,}."
            )

    def write(self, data: bytes) -> int:
        """Append ``data`` once the budget allows.

        Raises:
            DiskFullError: The disk has no room for it.
        """
        self._budget.take(len(data), self._urgent)
        self.archive_bytes += len(data)
        try:
            return self._file.write(data)
        except OSError as error:
            raise self._disk_error(error, len(data)) from error

    def flush(self) -> None:
        """Hand everything to the disk.

        Raises:
            DiskFullError: The disk has no room for it.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise self._disk_error(error, 0) from error

    def empty(self) -> None:
        """Forget what was written, for another attempt.

        Raises:
            DiskFullError: The disk had no room for what was still to be written.
        """
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as error:
            raise self._disk_error(error, 0) from error
        self._budget.give_back(self.archive_bytes)
        self.archive_bytes = 0

    def close(self) -> None:
        """Delete the file; calling it again does nothing."""
        with suppress(OSError):  # what a full disk did not take is of no use any more
            self._file.close()
        self._budget.give_back(self.archive_bytes)
        self.archive_bytes = 0

    def _disk_error(self, error: OSError, more_bytes: int) -> DiskFullError:
        return disk_error(
            self._budget.folder, error, what="archive", written_bytes=self.archive_bytes, more_bytes=more_bytes
        )


def disk_error(folder: str, error: OSError, *, what: str, written_bytes: int, more_bytes: int) -> DiskFullError:
    """Return what is to be raised when a temporary file in ``folder`` could not be written.

    Args:
        folder: Where the file is.
        error: What the system said.
        what: What is in the file, one word.
        written_bytes: How much of it is.
        more_bytes: How much was to be written when it failed.
    """
    free_bytes = shutil.disk_usage(folder).free
    reason = "is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"cannot be written ({error.strerror})"
    return DiskFullError(
        f"The folder {folder} {reason}: the {what} has {written_bytes:,} bytes so far, "
        f"{more_bytes:,} more were to be written, {free_bytes:,} are free."
    )
