"""Temporary files and atomic writes on the local disk.

Write errors are raised as a DiskFullError that names the folder. Temporary files are unlinked as soon as they are
open, so that a killed process leaves no files behind.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from source_amplitude.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self


def require_temporary_folder() -> None:
    """Raise a DiskFullError if there is no writable folder for temporary files."""
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise DiskFullError("There is no writable folder for temporary files.") from error


class DiskErrors:
    """A reentrant context that raises an OSError as a DiskFullError.

    Args:
        what: One word for the data that is written, such as ``archive``.
        folder: The folder to write to.
    """

    def __init__(self, what: str, folder: str | Path) -> None:
        self._what = what
        self._folder = Path(folder)
        self.written_bytes = 0
        self._more_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError):
            raise self._named(error) from error

    def write(self, file: IO[bytes], data: bytes) -> None:
        self._more_bytes = len(data)
        with self:
            file.write(data)
        self.written_bytes += len(data)
        self._more_bytes = 0

    def _named(self, error: OSError) -> DiskFullError:
        folder = next(each for each in (self._folder, *self._folder.absolute().parents) if each.is_dir())
        reason = "is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"cannot be written ({error.strerror})"
        return DiskFullError(
            f"The folder {folder} {reason}: {self.written_bytes:,} bytes of the {self._what} were written, "
            f"{self._more_bytes:,} more are needed, {shutil.disk_usage(folder).free:,} are free."
        )


class TemporaryBody:
    """A temporary file that stays in memory while it is small.

    ``tempfile.SpooledTemporaryFile`` lacks half of a file's methods before Python 3.11.

    Args:
        what: One word for the data, such as ``archive``.
        folder: The file's folder; None for the system's folder for temporary files.
        memory_bytes: The largest size that stays in memory.

    Attributes:
        file: The open file. The caller owns it after `detach`.
    """

    def __init__(self, what: str, folder: str | None = None, *, memory_bytes: int = 0) -> None:
        self._what = what
        self._folder = folder or tempfile.gettempdir()
        self._disk = DiskErrors(what, self._folder)
        self._memory_bytes = memory_bytes
        self.file: IO[bytes] = BytesIO() if memory_bytes else self._on_disk()
        self._is_detached = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def written_bytes(self) -> int:
        return self._disk.written_bytes

    def expect(self, total_bytes: int, /, *, freed_bytes: int = 0) -> None:
        """Raise a DiskFullError if ``total_bytes`` do not fit, even after ``freed_bytes`` are freed."""
        free_bytes = shutil.disk_usage(self._folder).free + freed_bytes
        if total_bytes > free_bytes:
            raise DiskFullError(
                f"The folder {self._folder} has {free_bytes:,} bytes free; the {self._what} needs {total_bytes:,}."
            )

    def write(self, data: bytes, /) -> int:
        if self._memory_bytes and self.written_bytes + len(data) > self._memory_bytes:
            self._move_to_disk()
        self._disk.write(self.file, data)
        return len(data)

    def flush(self) -> None:
        with self._disk:
            self.file.flush()

    def empty(self) -> None:
        """Truncate the file for another attempt."""
        with self._disk:
            self.file.seek(0)
            self.file.truncate()
        self._disk.written_bytes = 0

    def detach(self) -> IO[bytes]:
        """Return the file, rewound to its start. The caller closes it."""
        with self._disk:
            self.file.flush()
            self.file.seek(0)
        self._is_detached = True
        return self.file

    def close(self) -> None:
        """Delete the file if it is not detached. Idempotent."""
        if not self._is_detached:
            with suppress(OSError):  # on a full disk, closing fails to flush; the data is not needed
                self.file.close()

    def _on_disk(self) -> IO[bytes]:
        with self._disk:
            return tempfile.TemporaryFile(dir=self._folder, prefix="source-amplitude-")

    def _move_to_disk(self) -> None:
        memory, self.file, self._memory_bytes = self.file, self._on_disk(), 0
        memory.seek(0)
        with self._disk:
            shutil.copyfileobj(memory, self.file)


@contextmanager
def atomic_write(path: Path, *, is_only_writer: bool) -> Iterator[IO[bytes]]:
    """Yield a file that replaces ``path`` atomically at the end, or is deleted if an exception is raised.

    Readers see the old file or the complete new one, also after a power failure. The file has a random hidden name that
    ends with ``.partial`` until then, and is created exclusively: a file or link that already has this name is never
    written. A killed process can leave it behind.

    Args:
        path: The file to write. An existing file keeps its mode; a new one follows the umask.
        is_only_writer: Whether no other process writes ``path``. If so, the ``.partial`` files that killed processes
            left behind are deleted.

    Raises:
        OSError: The file cannot be written.
    """
    if is_only_writer:
        _delete_partials(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    file = open(partial, "xb", opener=_private if path.exists() else None)  # noqa: SIM115 - closed below
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            partial.chmod(stat.S_IMODE(path.stat().st_mode))
        file.close()  # Windows cannot rename an open file
        partial.replace(path)
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):  # on a full disk, closing fails to flush; the data is not needed
            file.close()
        partial.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read, until it gets the mode of the file that it replaces."""
    return os.open(path, flags, 0o600)


def _delete_partials(path: Path) -> None:
    partial = re.compile(rf"\.{re.escape(path.name)}(\.[0-9a-f]+)?\.partial")
    with os.scandir(path.parent) as entries:
        left = [entry.path for entry in entries if partial.fullmatch(entry.name)]
    for each in left:
        with suppress(OSError):  # a folder, or the file of another user
            Path(each).unlink()


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # some network file systems cannot sync a folder
            os.fsync(descriptor)
        os.close(descriptor)
