"""The object that is being made: in memory while it is small, then in a nameless temporary file."""

from __future__ import annotations

from source_amplitude.archive.unpacking import crc32
from source_amplitude.disk import TemporaryBody

MEMORY_BYTES = 8 * 1024 * 1024


class ObjectFile(TemporaryBody):
    """Takes an object's bytes and hands out a file of them; whatever goes wrong before that, it leaves nothing.

    Args:
        memory_bytes: From which size on the object is on the disk; `MEMORY_BYTES` where nothing else is said.

    Attributes:
        crc32: CRC-32 of the bytes it has taken.
        closed: Always False: libraries that write into files ask for it.
    """

    def __init__(self, memory_bytes: int | None = None) -> None:
        super().__init__("object", memory_bytes=MEMORY_BYTES if memory_bytes is None else memory_bytes)
        self.crc32 = 0
        self.closed = False

    def write(self, data: bytes, /) -> int:
        self.crc32 = crc32(data, self.crc32)
        return super().write(data)

    def tell(self) -> int:
        return self.written_bytes
