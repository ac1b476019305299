"""The object that is being made: in memory while it is small, then in a nameless temporary file."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, cast

from source_amplitude.archive.gzip_codec import crc32
from source_amplitude.export.spool import disk_error

if TYPE_CHECKING:
    from typing_extensions import Self

MEMORY_BYTES = 8 * 1024 * 1024


class ObjectFile:
    """Takes an object's bytes and hands out a file of them; whatever goes wrong before that, it leaves nothing.

    ``tempfile.SpooledTemporaryFile`` lacks half of a file's methods before Python 3.11, and stores ask for them.

    Args:
        memory_bytes: From which size on the object is on the disk; `MEMORY_BYTES` where nothing else is said.

    Attributes:
        object_bytes: How many bytes it has taken.
        crc32: CRC-32 of them.
        closed: Always False: libraries that write into files ask for it.
    """

    def __init__(self, memory_bytes: int | None = None) -> None:
        self._memory_bytes = MEMORY_BYTES if memory_bytes is None else memory_bytes
        self._folder = tempfile.gettempdir()
        self._file: IO[bytes] | None = BytesIO()
        self._in_memory = True
        self.object_bytes = 0
        self.crc32 = 0
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take is of no use any more
                self._file.close()

    def write(self, data: bytes) -> int:
        """Append ``data``.

        Raises:
            DiskFullError: The disk has no room for it.
        """
        file = self._open_file()
        try:
            if self._in_memory and self.object_bytes + len(data) > self._memory_bytes:
                file = self._move_to_disk(cast("BytesIO", file))
            file.write(data)
        except OSError as error:
            raise disk_error(
                self._folder, error, what="object", written_bytes=self.object_bytes, more_bytes=len(data)
            ) from error
        self.object_bytes += len(data)
        self.crc32 = crc32(data, self.crc32)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes it has taken."""
        return self.object_bytes

    def flush(self) -> None:
        """Do nothing: `detach` does."""

    def detach(self) -> IO[bytes]:
        """Return the file at its start; whoever asked for it closes it.

        Raises:
            DiskFullError: The disk has no room for the rest.
        """
        file = self._open_file()
        try:
            file.flush()
            file.seek(0)
        except OSError as error:
            raise disk_error(
                self._folder, error, what="object", written_bytes=self.object_bytes, more_bytes=0
            ) from error
        self._file = None
        return file

    def _open_file(self) -> IO[bytes]:
        if self._file is None:
            raise ValueError("the object was handed out")
        return self._file

    def _move_to_disk(self, memory: BytesIO) -> IO[bytes]:
        self._file = tempfile.TemporaryFile(dir=self._folder, prefix="source-amplitude-")  # noqa: SIM115 - __exit__
        self._in_memory = False
        self._file.write(memory.getbuffer())
        return self._file
