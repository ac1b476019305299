"""Split unpacked content into batches of whole lines, each with the checksum of everything up to its end.

Memory stays near one chunk for members of any size. A long line costs a small multiple of its length. Each byte is
checksummed once, when its line is complete. The ledger remembers the checksum and the length at the end of a batch, so
that a later read can verify that the bytes are the same and continue after them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from source_amplitude.archive.gzip_codec import crc32
from source_amplitude.members import NOTHING_READ, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_BYTES_IN_MEMORY = 16 * 1024 * 1024

CHUNK_BYTES = 64 * 1024


class Readable(Protocol):
    """A stream of unpacked bytes; `read` returns no bytes at the end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class LineBatch:
    """Consecutive lines of one member.

    Attributes:
        body: The lines with their line feeds. Blank lines are included, so that line numbers are right.
        seen: Length and checksum of the content up to the end of the batch.
    """

    body: bytes
    seen: Fingerprint

    @property
    def ends_with_line_feed(self) -> bool:
        """Whether the last line is complete; it can be incomplete in the last batch of a member only."""
        return self.body.endswith(b"\n")


def iter_line_batches(
    content: Readable, *, after: Fingerprint = NOTHING_READ, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[LineBatch]:
    """Yield the lines of ``content`` from its current position, about ``chunk_bytes`` at a time.

    Args:
        content: Unpacked bytes; a last line without a line feed is yielded as well.
        after: Fingerprint of the content before the current position, from which checksums continue.
    """
    length, crc = after.content_bytes, after.crc32
    unfinished = bytearray()  # a list of chunks would fragment the heap
    while chunk := content.read(chunk_bytes):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            unfinished.extend(chunk)
            continue
        view = memoryview(chunk)
        body = b"".join((unfinished, view[:cut]))
        unfinished = bytearray(view[cut:])
        length, crc = length + len(body), crc32(body, crc)
        yield LineBatch(body, Fingerprint(length, crc))
        del body
    if unfinished:
        line = bytes(unfinished)
        yield LineBatch(line, Fingerprint(length + len(line), crc32(line, crc)))


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
