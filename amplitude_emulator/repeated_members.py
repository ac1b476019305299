"""Members that repeat one line: of any size in little memory, because their bytes are generated while they are read.

A full flush ends a deflate stream at a byte boundary and resets its dictionary, so the same compressed bytes can be
repeated any number of times. The checksum of the result is computed from the checksum of one repetition
(`crc32_of_joined`).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

# The size of the run of lines that is compressed once; a longer line is a run of its own.
RUN_BYTES = 1024**2

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # as gzip.compress(..., mtime=0) writes it
_LAST_BLOCK = b"\x03\x00"  # an empty one
_POLYNOMIAL = 0xEDB88320
_X_TO_0, _X_TO_8 = 1 << 31, 1 << 23  # polynomials in CRC-32's bit order: lowest power in the highest bit


@dataclass(frozen=True)
class Repetition:
    """The bytes ``head``, then ``unit`` repeated ``times`` times, then ``tail``; never in memory as a whole."""

    head: bytes
    unit: bytes = b""
    times: int = 0
    tail: bytes = b""

    @cached_property
    def size_bytes(self) -> int:
        """The total number of bytes."""
        return len(self.head) + len(self.unit) * self.times + len(self.tail)

    @cached_property
    def crc32(self) -> int:
        """The CRC-32 of all bytes, computed without reading the repeated part."""
        repeated = crc32_of_repeated(zlib.crc32(self.unit), len(self.unit), self.times)
        whole = crc32_of_joined(zlib.crc32(self.head), repeated, len(self.unit) * self.times)
        return crc32_of_joined(whole, zlib.crc32(self.tail), len(self.tail))

    def copy_into(self, target: memoryview, start: int) -> int:
        """Copy bytes from ``start`` on and return their number: at least 1 unless at the end or ``target`` is empty."""
        source, offset = self._part_at(start)
        count = min(len(target), len(source) - offset)
        target[:count] = memoryview(source)[offset : offset + count]
        return count

    def read_all(self) -> bytes:
        """Return all bytes, for small sizes in tests."""
        return self.head + self.unit * self.times + self.tail

    def _part_at(self, start: int) -> tuple[bytes, int]:
        if start < len(self.head):
            return self.head, start
        start -= len(self.head)
        if start < len(self.unit) * self.times:
            return self.unit, start % len(self.unit)
        return self.tail, start - len(self.unit) * self.times


@dataclass(frozen=True)
class RepeatedMember:
    """A member with ``line`` and a newline, repeated ``times`` times; ``packed`` is its gzip file."""

    line: bytes
    times: int
    packed: Repetition


def repeat_line(line: bytes, times: int, level: int = 0) -> RepeatedMember:
    """Return a member that repeats one line.

    Args:
        line: Any bytes without a newline.
        times: The number of repetitions.
        level: The zlib level. With 0 the gzip file is as large as its content.

    Raises:
        ValueError: The line contains a newline, or ``times`` is below 1.
    """
    if b"\n" in line:
        raise ValueError("The line must not contain a newline")
    if times < 1:
        raise ValueError("times must be at least 1")
    text = line + b"\n"
    lines_in_run = min(times, max(1, RUN_BYTES // len(text)))
    runs, single_lines = divmod(times, lines_in_run)
    run, rest = text * lines_in_run, text * single_lines
    content_crc = crc32_of_repeated(zlib.crc32(run), len(run), runs)
    content_crc = crc32_of_joined(content_crc, zlib.crc32(rest), len(rest))
    trailer = struct.pack("<2L", content_crc, len(text) * times & 0xFFFFFFFF)
    tail = _deflate(rest, level) + _LAST_BLOCK + trailer
    return RepeatedMember(line, times, Repetition(_GZIP_HEAD, _deflate(run, level), runs, tail))


def crc32_of_joined(first: int, second: int, second_bytes: int) -> int:
    """Return the CRC-32 of two joined byte strings, given both CRCs and the length of the second."""
    return _multiply(_x_to_8_times(second_bytes), first) ^ second


def crc32_of_repeated(crc: int, size_bytes: int, times: int) -> int:
    """Return the CRC-32 of a repeated byte string, given its CRC and its length."""
    whole, whole_bytes = 0, 0
    for bit in f"{times:b}":
        whole, whole_bytes = crc32_of_joined(whole, whole, whole_bytes), whole_bytes * 2
        if bit == "1":
            whole, whole_bytes = crc32_of_joined(whole, crc, size_bytes), whole_bytes + size_bytes
    return whole


def _x_to_8_times(exponent: int) -> int:
    """Return x to the power of 8 * ``exponent``, modulo the polynomial of CRC-32."""
    result, square = _X_TO_0, _X_TO_8
    while exponent:
        if exponent & 1:
            result = _multiply(result, square)
        square = _multiply(square, square)
        exponent >>= 1
    return result


def _multiply(a: int, b: int) -> int:
    """Return the product of two polynomials modulo that of CRC-32."""
    product, bit = 0, _X_TO_0
    while bit:
        if a & bit:
            product ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
        bit >>= 1
    return product


def _deflate(content: bytes, level: int) -> bytes:
    """Return non-final blocks that end at a byte boundary and do not refer to earlier bytes."""
    if not content:
        return b""
    packer = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
