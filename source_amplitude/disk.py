"""Files on the local disk: what cannot be written is a DiskFullError that names the folder, never a bare OSError.

Temporary files are unlinked as soon as they are open, so that even a killed process leaves nothing. A file that others
read is replaced as a whole or not at all.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
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
    """Raise a DiskFullError unless there is a folder for temporary files."""
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise DiskFullError("There is no folder for temporary files that can be written.") from error


class DiskErrors:
    """A context in which an OSError becomes a DiskFullError; it may be entered again, also inside itself.

    ``what`` is what is written to ``folder``, one word.
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
            f"The folder {folder} {reason}: the {self._what} has {self.written_bytes:,} bytes so far, "
            f"{self._more_bytes:,} more were to be written, {shutil.disk_usage(folder).free:,} are free."
        )


class TemporaryBody:
    """Bytes in a temporary file; ``tempfile.SpooledTemporaryFile`` lacks half of a file's methods before Python 3.11.

    Args:
        what: What the bytes are, one word.
        folder: Where the file is, the system's folder for temporary files if it is None.
        memory_bytes: Up to this size the bytes stay in memory.

    Attributes:
        file: Belongs to the caller after `detach`.
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
        """Raise a DiskFullError unless ``total_bytes`` have room, once ``freed_bytes`` are given back."""
        free_bytes = shutil.disk_usage(self._folder).free + freed_bytes
        if total_bytes > free_bytes:
            raise DiskFullError(
                f"The folder {self._folder} has {free_bytes:,} bytes free, and the {self._what} needs {total_bytes:,}."
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
        """Forget what was written, for another attempt."""
        with self._disk:
            self.file.seek(0)
            self.file.truncate()
        self._disk.written_bytes = 0

    def detach(self) -> IO[bytes]:
        """Return the file at its start; the caller closes it."""
        with self._disk:
            self.file.flush()
            self.file.seek(0)
        self._is_detached = True
        return self.file

    def close(self) -> None:
        """Delete the file unless it is detached; calling it again does nothing."""
        if not self._is_detached:
            with suppress(OSError):  # what a full disk did not take is of no use any more
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
def atomic_write(path: Path, *, shows_all_output: bool) -> Iterator[IO[bytes]]:
    """Yield a file that becomes ``path`` at the end, or goes away if an exception comes first.

    A reader has the old file or all of the new one, after a loss of power too. A process that is killed can leave a
    hidden file beside it, which ends with ``.partial``.

    Args:
        path: Keeps its mode where it is there.
        is_alone: Whether no other process writes it at the same time: what a killed one left is overwritten then.

    Raises:
        OSError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}{'' if shows_all_output else f'.{secrets.token_hex(4)}'}.partial")
    file = partial.open("wb")
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            partial.chmod(path.stat().st_mode)
        file.close()  # Windows replaces by closed files only
        partial.replace(path)
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):  # what a full disk did not take is of no use any more
            file.close()
        partial.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # some network folders cannot
            os.fsync(descriptor)
        os.close(descriptor)
