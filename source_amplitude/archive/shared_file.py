"""One open file that several threads read, each at its own position."""

from __future__ import annotations

import io
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class SharedFile:
    """Positional reads of a seekable file under a lock; the file must not grow while it is shared."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.size_bytes = file.seek(0, io.SEEK_END)

    def read_at(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes from ``position``, or fewer at the end of the file."""
        with self._lock:
            self._file.seek(position)
            return self._file.read(size)

    def close(self) -> None:
        self._file.close()


class FileSection(io.RawIOBase):
    """A part of a shared file, read as a file of its own."""

    def __init__(self, file: SharedFile, start: int, size_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._size_bytes = size_bytes
        self._position = 0

    def read(self, size: int | None = -1, /) -> bytes:
        left_bytes = max(0, self._size_bytes - self._position)
        count = left_bytes if size is None or size < 0 else min(size, left_bytes)
        data = self._file.read_at(self._start + self._position, count)
        self._position += len(data)
        return data

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self.read()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position
