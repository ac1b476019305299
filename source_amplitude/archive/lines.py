"""Split unpacked content into batches of whole lines, each with the checksum of everything up to its end.

Memory stays near one chunk for members of any size. A long line costs a small multiple of its length. Each byte is
checksummed once, when its line is complete. The ledger remembers the checksum and the length at the end of a batch, so
that a later read can verify that the bytes are the same and continue after them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from source_amplitude.archive.gzip_codec import crc32
from source_amplitude.members import NOTHING_READ, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_BYTES_IN_MEMORY = 16 * 1024 * 1024

CHUNK_BYTES = 64 * 1024

MAX_LINE_BYTES = 64 * 1024**2
"""The longest line that is decoded."""

TOO_LONG_LINE = b"a line that is too long"
"""Replaces a longer line. It is not JSON, so that the line is counted and reported like every malformed line."""


class Readable(Protocol):
    """A stream of unpacked bytes; `read` returns no bytes at the end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class LineBatch:
    """Consecutive lines of one member.

    Attributes:
        body: The lines with their line feeds. Blank lines are included, so that line numbers are right. `TOO_LONG_LINE`
            replaces a line that is too long.
        seen: Length and checksum of the content up to the end of the batch.
    """

    body: bytes
    seen: Fingerprint

    @property
    def ends_with_line_feed(self) -> bool:
        """Whether the last line is complete; it can be incomplete in the last batch of a member only."""
        return self.body.endswith(b"\n")


def iter_line_batches(
    content: Readable,
    *,
    after: Fingerprint = NOTHING_READ,
    chunk_bytes: int = CHUNK_BYTES,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> Iterator[LineBatch]:
    """Yield the lines of ``content`` from its current position, about ``chunk_bytes`` at a time.

    Args:
        content: Unpacked bytes; a last line without line feed is a line.
        after: The content before the current position: the checksums continue from there.
        chunk_bytes: The bytes to read at a time.
        max_line_bytes: A longer line is replaced by `TOO_LONG_LINE`, in a batch of its own.
    """
    lines = _Lines(after, max_line_bytes)
    while chunk := content.read(min(chunk_bytes, max_line_bytes)):
        yield from lines.add(chunk)
    yield from lines.end()


class _Lines:
    """Splits chunks into batches of whole lines; keeps the beginning of the last line until its end arrives."""

    def __init__(self, after: Fingerprint, max_line_bytes: int) -> None:
        self._length, self._crc = after.content_bytes, after.crc32
        self._max_line_bytes = max_line_bytes
        self._unfinished = bytearray()  # a list of its chunks would leave the heap with holes as large as the line
        self._is_too_long = False

    def add(self, chunk: bytes) -> Iterator[LineBatch]:
        if self._is_too_long or len(self._unfinished) + len(chunk) > self._max_line_bytes:
            line_feed = chunk.find(b"\n")
            line_bytes = len(self._unfinished) + (len(chunk) if line_feed < 0 else line_feed)
            if self._is_too_long or line_bytes > self._max_line_bytes:
                end = line_feed + 1 or len(chunk)
                yield from self._drop(chunk[:end])
                chunk = chunk[end:]
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._unfinished.extend(chunk)
            return
        view = memoryview(chunk)
        body = b"".join((self._unfinished, view[:cut]))
        self._unfinished = bytearray(view[cut:])
        self._count(body)
        yield LineBatch(body, self._seen())

    def end(self) -> Iterator[LineBatch]:
        if self._is_too_long:
            yield LineBatch(TOO_LONG_LINE, self._seen())
        elif self._unfinished:
            line = bytes(self._unfinished)
            self._count(line)
            yield LineBatch(line, self._seen())

    def _drop(self, part: bytes) -> Iterator[LineBatch]:
        """Count a part of a line that is too long; yield the replacement after its line feed."""
        self._count(self._unfinished)
        self._count(part)
        self._unfinished = bytearray()
        self._is_too_long = not part.endswith(b"\n")
        if not self._is_too_long:
            yield LineBatch(TOO_LONG_LINE + b"\n", self._seen())

    def _count(self, data: bytes | bytearray) -> None:
        self._length, self._crc = self._length + len(data), crc32(cast("bytes", data), self._crc)

    def _seen(self) -> Fingerprint:
        return Fingerprint(self._length, self._crc)


def verified(read: Callable[[], Iterator[LineBatch]]) -> Iterator[LineBatch]:
    """Yield the batches of ``read`` after all of them were read without an error.

    The zip checksum does not cover the content of the gzip file inside, whose own checksum follows its last line.
    Batches up to 16 MB wait in memory for the end of the member; larger members are read twice.

    Args:
        read: Returns the same batches from the start each time it is called.

    Raises:
        CorruptArchiveError: ``read`` raised it; nothing was yielded.
    """
    waiting: deque[LineBatch] = deque()
    waiting_bytes = 0
    batches = read()
    for batch in batches:
        waiting.append(batch)
        waiting_bytes += len(batch.body)
        if waiting_bytes > _MOST_BYTES_IN_MEMORY:
            break
    else:
        while waiting:
            yield waiting.popleft()
        return
    waiting.clear()
    del batch  # it may be a line of 100 MB
    for _ in batches:
        pass
    yield from read()


def skip_verified_prefix(content: Readable, known: Fingerprint, *, chunk_bytes: int = CHUNK_BYTES) -> int | None:
    """Read the first ``known.content_bytes`` bytes and return how many line feeds they contain.

    Return None if the content is shorter or different; the position of ``content`` is undefined then.
    """
    left, crc, line_feeds = known.content_bytes, 0, 0
    while left:
        chunk = content.read(min(chunk_bytes, left))
        if not chunk:
            return None
        left -= len(chunk)
        crc = crc32(chunk, crc)
        line_feeds += chunk.count(b"\n")
    return line_feeds if crc == known.crc32 else None
