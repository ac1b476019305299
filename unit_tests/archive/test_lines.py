from __future__ import annotations

import io
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, SupportsIndex
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.archive import LineBatch, iter_line_batches, skip_verified_prefix, verified
from source_amplitude.archive import lines as lines_module
from source_amplitude.archive.lines import TOO_LONG_LINE
from source_amplitude.encoding import encode_line_by_line, split_lines
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.members import NOTHING_READ, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENTS = st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b"{}", b"\xff\x00", b"long" * 9])).map(b"".join)
CHUNKS = st.sampled_from([1, 7, 65536])


def fingerprint(content: bytes) -> Fingerprint:
    return Fingerprint(len(content), crc32(content))


class ShortReads:
    """Returns fewer bytes than requested, as a decompressor may."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._file = io.BytesIO(content)
        self._sizes = iter(sizes)

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, next(self._sizes, size)))


def test_batches_are_whole_lines_with_a_running_checksum() -> None:
    content = b'{"a":1}\r\n\n  \n{"b":2}'

    batches = list(iter_line_batches(io.BytesIO(content)))

    assert batches == [
        LineBatch(b'{"a":1}\r\n\n  \n', fingerprint(content[:-7])),
        LineBatch(b'{"b":2}', fingerprint(content)),
    ]
    assert [batch.ends_with_line_feed for batch in batches] == [True, False]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"\n\n", [b"", b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"a\x0bb\x1cc\xe2\x80\xa8d\n", [b"a\x0bb\x1cc\xe2\x80\xa8d"]),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 2, 7, 65536])
def test_only_line_feeds_end_a_line(content: bytes, lines: list[bytes], chunk_bytes: int) -> None:
    batches = list(iter_line_batches(io.BytesIO(content), chunk_bytes=chunk_bytes))

    assert [line for batch in batches for line in split_lines(batch.body)] == lines


@given(CONTENTS, CHUNKS, st.lists(st.integers(1, 5)))
@settings(deadline=None)
def test_any_content_in_any_chunks_is_read_completely(content: bytes, chunk_bytes: int, sizes: list[int]) -> None:
    batches = list(iter_line_batches(ShortReads(content, sizes), chunk_bytes=chunk_bytes))

    assert b"".join(batch.body for batch in batches) == content
    assert all(batch.ends_with_line_feed for batch in batches[:-1])
    assert [batch.seen for batch in batches] == [fingerprint(content[: batch.seen.content_bytes]) for batch in batches]
    assert (batches[-1].seen if batches else NOTHING_READ) == fingerprint(content)


@given(CONTENTS, CONTENTS, CHUNKS)
@settings(deadline=None)
def test_reading_continues_after_a_verified_prefix(first: bytes, rest: bytes, chunk_bytes: int) -> None:
    file = io.BytesIO(first + rest)

    line_feeds = skip_verified_prefix(file, fingerprint(first), chunk_bytes=chunk_bytes)
    batches = list(iter_line_batches(file, after=fingerprint(first), chunk_bytes=chunk_bytes))

    assert line_feeds == first.count(b"\n")
    assert b"".join(batch.body for batch in batches) == rest
    if batches:
        assert batches[-1].seen == fingerprint(first + rest)


@given(CONTENTS.filter(bool), st.data(), CHUNKS)
@settings(deadline=None)
def test_a_prefix_with_a_changed_byte_is_not_verified(content: bytes, data: st.DataObject, chunk_bytes: int) -> None:
    position = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[position] ^= data.draw(st.integers(1, 255))

    verified = skip_verified_prefix(io.BytesIO(bytes(changed) + b"more"), fingerprint(content), chunk_bytes=chunk_bytes)

    assert verified is None


@given(CONTENTS.filter(bool), CHUNKS, st.data())
@settings(deadline=None)
def test_a_shorter_content_is_not_verified(content: bytes, chunk_bytes: int, data: st.DataObject) -> None:
    shorter = content[: data.draw(st.integers(0, len(content) - 1))]

    assert skip_verified_prefix(io.BytesIO(shorter), fingerprint(content), chunk_bytes=chunk_bytes) is None


def test_an_empty_prefix_is_verified_without_reading() -> None:
    file = io.BytesIO(b"abc")

    assert skip_verified_prefix(file, NOTHING_READ) == 0
    assert file.read() == b"abc"


def test_malformed_lines_do_not_affect_the_verification() -> None:
    known = Fingerprint(2, crc32(b"x\n"), malformed_lines=1)

    assert skip_verified_prefix(io.BytesIO(b"x\ny\n"), known) == 1


@given(CONTENTS, CHUNKS, st.integers(1, 40), st.lists(st.integers(1, 5)))
def test_lines_above_the_cap_are_replaced(content: bytes, chunk_bytes: int, cap: int, sizes: list[int]) -> None:
    reader = ShortReads(content, sizes)

    batches = list(iter_line_batches(reader, chunk_bytes=chunk_bytes, max_line_bytes=cap))

    expected = [TOO_LONG_LINE if len(line) > cap else line for line in split_lines(content)]
    assert [line for batch in batches for line in split_lines(batch.body)] == expected
    assert b"".join(batch.body for batch in batches).endswith(b"\n") == content.endswith(b"\n")
    assert [batch.seen for batch in batches] == [fingerprint(content[: batch.seen.content_bytes]) for batch in batches]
    assert (batches[-1].seen if batches else NOTHING_READ) == fingerprint(content)


@given(CONTENTS, CHUNKS, st.integers(1, 40))
def test_a_read_after_a_long_line_continues_behind_it(content: bytes, chunk_bytes: int, cap: int) -> None:
    long = b"x" * (cap + 1) + b"\n"

    file = io.BytesIO(long + content)
    skip_verified_prefix(file, fingerprint(long))
    batches = list(iter_line_batches(file, after=fingerprint(long), chunk_bytes=chunk_bytes, max_line_bytes=cap))

    assert [line for batch in batches for line in split_lines(batch.body)] == [
        TOO_LONG_LINE if len(line) > cap else line for line in split_lines(content)
    ]


def test_a_line_above_the_cap_is_one_malformed_line() -> None:
    content = b'{"a":1}\n' + b"[" * 50 + b'\n{"b":2}\n'

    bodies = [batch.body for batch in iter_line_batches(io.BytesIO(content), chunk_bytes=8, max_line_bytes=16)]
    encoded = encode_line_by_line(b"".join(bodies), lambda record: record)

    assert (encoded.payload, encoded.malformed, encoded.lines) == ([{"a": 1}, {"b": 2}], (1,), 3)


class Endless:
    """A line of ``size`` bytes that is made while it is read."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int, /) -> bytes:
        part = b"x" * min(size, self._left)
        self._left -= len(part)
        return part


def test_a_line_above_the_cap_is_not_held_in_memory() -> None:
    tracemalloc.start()
    try:
        batches = list(iter_line_batches(Endless(20_000_000), max_line_bytes=1_000_000))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert [(batch.body, batch.seen.content_bytes) for batch in batches] == [(TOO_LONG_LINE, 20_000_000)]
    assert peak_bytes < 3_000_000


class CountedBytes(bytes):
    """Counts the bytes that searches read and that additions copy."""

    searched = 0
    copied = 0

    def rfind(self, sub: object, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /) -> int:
        CountedBytes.searched += len(self)
        return bytes(self).rfind(sub, start, end)  # type: ignore[arg-type]

    def __add__(self, other: object) -> bytes:
        CountedBytes.copied += len(self)
        return bytes(self) + bytes(other)  # type: ignore[call-overload,no-any-return]

    def __radd__(self, other: object) -> bytes:
        CountedBytes.copied += len(self)
        return bytes(other) + bytes(self)  # type: ignore[call-overload,no-any-return]


class CountingReader:
    """Returns chunks of `CountedBytes`."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return CountedBytes(self._file.read(size))


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_line_of_many_chunks_is_searched_and_checksummed_once(ending: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"x" * 100_000 + ending
    checksummed: list[int] = []

    def counting_crc32(data: bytes, value: int) -> int:
        checksummed.append(len(data))
        return crc32(data, value)

    monkeypatch.setattr(lines_module, "crc32", counting_crc32)
    monkeypatch.setattr(CountedBytes, "searched", 0)
    monkeypatch.setattr(CountedBytes, "copied", 0)
    batches = list(iter_line_batches(CountingReader(content), chunk_bytes=100))

    assert batches == [LineBatch(content, fingerprint(content))]
    assert (checksummed, CountedBytes.searched, CountedBytes.copied) == ([len(content)], len(content), 0)


def test_a_batch_is_about_one_chunk() -> None:
    content = b"12345678\n" * 100

    batches = list(iter_line_batches(io.BytesIO(content), chunk_bytes=90))

    assert [batch.body for batch in batches] == [b"12345678\n" * 10] * 10


def test_nothing_is_yielded_before_the_end_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_MOST_BYTES_IN_MEMORY", 10)

    def read(sizes: list[int]) -> Iterator[LineBatch]:
        for size in sizes:
            if not size:
                raise CorruptArchiveError("cut")
            yield LineBatch(b"x" * size, NOTHING_READ)

    for sizes in ([], [1], [9, 1], [9, 2], [11], [1, 2, 3, 4, 5, 6]):
        assert [len(batch.body) for batch in verified(partial(read, sizes))] == sizes
        with pytest.raises(CorruptArchiveError):
            next(verified(partial(read, [*sizes, 0])))


def test_a_small_member_is_read_once_and_a_large_one_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_MOST_BYTES_IN_MEMORY", 10)
    reads: list[int] = []

    def read(size: int) -> Iterator[LineBatch]:
        reads.append(size)
        yield LineBatch(b"x" * size, NOTHING_READ)

    for size in (10, 11):
        assert len(list(verified(partial(read, size)))) == 1

    assert reads == [10, 11, 11]
