from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import zipfile
import zlib
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.archive import Archive, Member, iter_line_batches, open_archive
from source_amplitude.archive.gzip_codec import open_gzip
from source_amplitude.encoding import split_lines
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.members import MemberName

NINE = datetime(2024, 3, 1, 9, tzinfo=timezone.utc)
TEN = NINE.replace(hour=10)
FIRST = "100200/100200_2024-03-01_9#0.json.gz"
SECOND = "100200/100200_2024-03-01_9#70.json.gz"
THIRD = "100200/100200_2024-03-01_10#5.json.gz"


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zipped(files: dict[str, bytes], *, method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = comment
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 3, 1, 12, 0, 0)), data, method)
    return out.getvalue()


def three_members() -> bytes:
    return zipped({FIRST: packed(b'{"a":1}\n'), SECOND: packed(b'{"a":2}\n{"a":3}\n'), THIRD: packed(b'{"a":4}\n')})


THREE_CONTENTS = {FIRST: b'{"a":1}\n', SECOND: b'{"a":2}\n{"a":3}\n', THIRD: b'{"a":4}\n'}


def content_of(archive: Archive, member: Member, chunk_bytes: int = 65536) -> bytes:
    with archive.unpack(member) as content:
        return b"".join(iter(lambda: content.read(chunk_bytes), b""))


def contents(data: bytes, chunk_bytes: int = 65536) -> dict[str, bytes]:
    with open_archive(io.BytesIO(data)) as archive:
        return {member.text: content_of(archive, member, chunk_bytes) for member in archive.members}


def contents_or_damage(data: bytes) -> dict[str, bytes] | None:
    try:
        return contents(data)
    except CorruptArchiveError:
        return None


LINES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ")), max_size=20)


@given(
    st.dictionaries(st.integers(0, 1000), LINES, max_size=5),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.sampled_from([1, 7, 65536]),
)
@settings(deadline=None, max_examples=60)
def test_any_lines_of_any_members_are_read_in_order(
    members: dict[int, list[bytes]], method: int, chunk_bytes: int
) -> None:
    named = {str(MemberName("100200", NINE, number)): lines for number, lines in members.items()}
    data = zipped({name: packed(b"\n".join((*lines, b""))) for name, lines in named.items()}, method=method)

    with open_archive(io.BytesIO(data)) as archive:
        read: dict[str, list[bytes]] = {}
        for member in archive.members:
            with archive.unpack(member) as content:
                batches = list(iter_line_batches(content, chunk_bytes=chunk_bytes))
            read[member.text] = [line for batch in batches for line in split_lines(batch.body)]

    assert read == {name: lines or [b""] * (b"\n".join((*lines, b"")) != b"") for name, lines in named.items()}
    assert list(read) == [str(MemberName("100200", NINE, number)) for number in sorted(members)]


def test_members_are_sorted_by_hour_after_unknown_names() -> None:
    files = dict.fromkeys([THIRD, SECOND, "notes.txt", FIRST, "100200/100200_2024-03-01_9#627.json.gz"], packed(b""))

    with open_archive(io.BytesIO(zipped(files))) as archive:
        members = tuple(archive.members)

    crc32 = zlib.crc32(packed(b""))
    assert members == (
        Member("notes.txt", None, 20, crc32),
        Member(FIRST, MemberName("100200", NINE, 0), 20, crc32),
        Member(SECOND, MemberName("100200", NINE, 70), 20, crc32),
        Member("100200/100200_2024-03-01_9#627.json.gz", MemberName("100200", NINE, 627), 20, crc32),
        Member(THIRD, MemberName("100200", TEN, 5), 20, crc32),
    )


def test_folders_are_not_members_but_count_as_entries() -> None:
    data = zipped({"100200/": b"", FIRST: packed(b"{}\n"), "empty/": b""})

    assert contents(data) == {FIRST: b"{}\n"}


def test_an_archive_without_members_is_valid() -> None:
    assert contents(zipped({})) == {}


@pytest.mark.parametrize("chunk_bytes", [1, 7, 65536])
def test_deflated_members_are_unpacked_twice(chunk_bytes: int) -> None:
    data = zipped({FIRST: packed(b'{"a":1}\n' * 1000)}, method=zipfile.ZIP_DEFLATED)

    assert contents(data, chunk_bytes) == {FIRST: b'{"a":1}\n' * 1000}


@pytest.mark.parametrize("chunk_bytes", [1, 7, 65536])
def test_several_gzip_streams_in_one_member_are_read_as_one(chunk_bytes: int) -> None:
    data = zipped({FIRST: packed(b'{"a":1}\n{"b"') + packed(b"") + packed(b":2}\n")})

    assert contents(data, chunk_bytes) == {FIRST: b'{"a":1}\n{"b":2}\n'}


def test_zero_bytes_after_a_gzip_stream_are_padding() -> None:
    data = zipped({FIRST: packed(b"{}\n") + b"\x00" * 512}, comment=b"an archive may have a comment")

    assert contents(data) == {FIRST: b"{}\n"}


def test_other_bytes_after_a_gzip_stream_are_an_error() -> None:
    data = zipped({FIRST: packed(b"{}\n") + b"garbage"})

    with pytest.raises(CorruptArchiveError, match=r"The member 100200/.*#0\.json\.gz cannot be unpacked"):
        contents(data)


def test_a_member_that_is_not_gzip_is_an_error() -> None:
    data = zipped({FIRST: b'{"a":1}\n'})

    with pytest.raises(CorruptArchiveError, match=r"The member 100200/.*#0\.json\.gz cannot be unpacked"):
        contents(data)


class Unseekable(io.RawIOBase):
    """A pipe: `zipfile` writes sizes and checksums after each member."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self.data += piece
        return len(piece)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_that_was_streamed_is_read(method: int) -> None:
    out = Unseekable()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(FIRST, packed(b"{}\n"))

    assert contents(bytes(out.data)) == {FIRST: b"{}\n"}


def with_zip64_end(data: bytes, *, count: int) -> bytes:
    """Return ``data`` with a zip64 end record, as archives of 65,535 entries and more have."""
    body, end = data[:-22], struct.unpack("<4s4H2LH", data[-22:])
    size, offset = end[5], end[6]
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body), 1)
    return body + end64 + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, offset, 0)


def test_the_zip64_count_replaces_a_full_count() -> None:
    assert contents(with_zip64_end(three_members(), count=3)) == THREE_CONTENTS


def test_a_zip64_count_that_differs_is_an_error() -> None:
    with pytest.raises(CorruptArchiveError) as caught:
        contents(with_zip64_end(three_members(), count=4))

    assert caught.value.what == "The archive's directory lists 3 of 4 members."


def test_a_directory_with_fewer_entries_is_an_error() -> None:
    data = bytearray(three_members())
    (directory_bytes,) = struct.unpack_from("<L", data, len(data) - 10)
    one_entry_bytes = 46 + len(FIRST)
    struct.pack_into("<L", data, len(data) - 10, one_entry_bytes)
    struct.pack_into("<L", data, len(data) - 6, len(data) - 22 - directory_bytes)
    moved = bytes(data[: len(data) - 22 - directory_bytes + one_entry_bytes] + data[-22:])

    with pytest.raises(CorruptArchiveError) as caught:
        contents(moved)

    assert caught.value.what == "The archive's directory lists 1 of 3 members."


def test_two_members_with_the_same_name_are_an_error() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(FIRST, packed(b"{}\n"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(FIRST, packed(b"[]\n"))

    with pytest.raises(CorruptArchiveError) as caught:
        contents(out.getvalue())

    assert caught.value.what == "The archive's directory lists a member twice."


def test_a_member_whose_bytes_changed_is_named() -> None:
    data = bytearray(three_members())
    data[data.index(b"\x1f\x8b", data.index(SECOND.encode())) + 12] ^= 1

    with pytest.raises(CorruptArchiveError) as caught:
        open_archive(io.BytesIO(bytes(data)))

    assert caught.value.what == f"The member {SECOND} fails its checksum."


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "The response's body is empty."),
        (b"<html>", "The response's body (6 bytes) is not a zip archive."),
        (b"{" + b" " * 1234, "The response's body (1,235 bytes) is not a zip archive."),
        (b"PK", "The archive (2 bytes) has no end record."),
        (b"P", "The response's body (1 byte) is not a zip archive."),
    ],
)
def test_the_error_describes_a_body_that_is_not_a_zip(body: bytes, what: str) -> None:
    with pytest.raises(CorruptArchiveError) as caught:
        open_archive(io.BytesIO(body))

    assert caught.value.what == what


def test_only_an_archive_closes_its_file() -> None:
    broken, good = io.BytesIO(b"no zip"), io.BytesIO(three_members())

    with pytest.raises(CorruptArchiveError):
        open_archive(broken)
    open_archive(good).close()

    assert (broken.closed, good.closed) == (False, True)


# Damage: every bit and every length.


def wrong_after_a_flipped_bit(archive: bytes, expected: dict[str, bytes]) -> list[tuple[int, int, dict[str, bytes]]]:
    """Flip each bit in turn; return the positions where this gives other contents than ``expected``, and no error."""
    data = bytearray(archive)
    others: list[tuple[int, int, dict[str, bytes]]] = []
    for position in range(len(data)):
        for bit in range(8):
            data[position] ^= 1 << bit
            read = contents_or_damage(bytes(data))
            data[position] ^= 1 << bit
            if read not in (None, expected):
                others.append((position, bit, read or {}))
    return others


def test_every_flipped_bit_is_an_error_or_changes_nothing() -> None:
    assert wrong_after_a_flipped_bit(three_members(), THREE_CONTENTS) == []


def test_flipped_bits_of_deflated_members_change_nothing() -> None:
    whole = zipped({FIRST: packed(b'{"a":1}\n'), THIRD: packed(b'{"a":2}\n')}, method=zipfile.ZIP_DEFLATED)
    expected = {FIRST: b'{"a":1}\n', THIRD: b'{"a":2}\n'}

    assert wrong_after_a_flipped_bit(whole, expected) == []


def test_every_shorter_archive_is_an_error() -> None:
    data = three_members()

    read = [contents_or_damage(data[:length]) for length in range(len(data))]

    assert read == [None] * len(data)


def test_flipped_bits_in_a_gzip_stream_change_nothing() -> None:
    stream = bytearray(packed(b'{"a":1}\n{"a":22}\n') + packed(b'{"a":333}\n'))
    expected = {FIRST: b'{"a":1}\n{"a":22}\n{"a":333}\n'}
    others: list[tuple[int, int, dict[str, bytes]]] = []

    for position in range(len(stream)):
        for bit in range(8):
            stream[position] ^= 1 << bit
            read = contents_or_damage(zipped({FIRST: bytes(stream)}))
            stream[position] ^= 1 << bit
            if read not in (None, expected):
                others.append((position, bit, read or {}))

    assert others == []


def test_every_shorter_gzip_stream_is_an_error() -> None:
    stream = packed(b'{"a":1}\n{"a":22}\n')

    read = [contents_or_damage(zipped({FIRST: stream[:length]})) for length in range(1, len(stream))]

    assert read == [None] * (len(stream) - 1)


def test_an_empty_member_is_an_error() -> None:
    assert contents_or_damage(zipped({FIRST: b""})) is None


@pytest.mark.parametrize(
    ("position", "value"),
    [(-8, 0xFF), (-1, 0xFF)],
    ids=["wrong checksum", "wrong length"],
)
def test_a_wrong_gzip_trailer_is_an_error_at_the_end(position: int, value: int) -> None:
    stream = bytearray(packed(b'{"a":1}\n'))
    stream[position] ^= value

    with open_archive(io.BytesIO(zipped({FIRST: bytes(stream)}))) as archive:
        [member] = archive.members
        with pytest.raises(CorruptArchiveError):
            content_of(archive, member, 3)


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_any_bytes_as_a_member_are_content_or_an_error(data: bytes) -> None:
    assert contents_or_damage(zipped({FIRST: data})) in (None, {FIRST: b""})


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_any_changed_bytes_are_an_error_or_change_nothing(data: st.DataObject) -> None:
    whole = bytearray(three_members())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    read = contents_or_damage(bytes(whole))

    assert read in (None, THREE_CONTENTS)


# Without isal, the standard library inflates.

_WITHOUT_ISAL = """
import sys

sys.modules["isal"] = None
import pytest
from source_amplitude.archive import gzip_codec

assert (gzip_codec._open.__module__, gzip_codec.crc32.__module__) == ("gzip", "zlib"), gzip_codec._open
others = "not without_isal and not 4_gb and not 65535"
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", others, *sys.argv[1:]]))
"""


def test_isal_is_used_if_it_is_installed() -> None:
    if sys.modules.get("isal", "") is None:
        pytest.skip("isal is disabled in this run")

    with open_gzip(io.BytesIO(packed(b"x"))) as content:
        assert type(content).__module__ == "isal.igzip"
        assert content.read() == b"x"


def test_all_archive_tests_pass_without_isal() -> None:
    folder = Path(__file__).parent
    files = [str(folder / name) for name in ("test_zip_archive.py", "test_lines.py", "test_layout_check.py")]

    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT_ISAL, *files],
        cwd=folder.parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert result.returncode == 0, result.stdout + result.stderr
