from __future__ import annotations

import gzip
import random
import zipfile
import zlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator.generated_archives import open_generated_archive
from amplitude_emulator.hours import MemberName
from amplitude_emulator.repeated_members import (
    RUN_BYTES,
    Repetition,
    crc32_of_joined,
    crc32_of_repeated,
    repeat_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient

LINE = b'{"uuid":"1","event_type":"A"}'
NINE = datetime(2026, 3, 4, 9, tzinfo=timezone.utc)
GIB = 1024**3


def name(partition: int) -> MemberName:
    return MemberName(100200, NINE, partition)


@pytest.mark.parametrize("level", [0, 1, 6])
@pytest.mark.parametrize(
    ("line", "times"),
    [
        (b"", 1),
        (LINE, 1),
        (LINE, 2),
        (LINE, RUN_BYTES // (len(LINE) + 1)),
        (LINE, RUN_BYTES // (len(LINE) + 1) * 3 + 5),
        (b"x" * (RUN_BYTES + 1), 3),
    ],
    ids=["empty line", "once", "twice", "one run", "three runs and a remainder", "lines longer than a run"],
)
def test_member_is_one_gzip_file_of_the_line_repeated(line: bytes, times: int, level: int) -> None:
    member = repeat_line(line, times, level)
    packed = member.packed.read_all()
    unpacker = zlib.decompressobj(wbits=31)

    assert unpacker.decompress(packed) == (line + b"\n") * times
    assert (unpacker.eof, unpacker.unused_data) == (True, b"")
    assert (member.packed.size_bytes, member.packed.crc32) == (len(packed), zlib.crc32(packed))


def test_level_determines_the_size_of_a_repeated_member() -> None:
    content_bytes = (len(LINE) + 1) * 100_000

    assert content_bytes < repeat_line(LINE, 100_000).packed.size_bytes < content_bytes * 1.001
    assert repeat_line(LINE, 100_000, level=6).packed.size_bytes < content_bytes / 100


@pytest.mark.parametrize(("line", "times"), [(b"a\nb", 1), (LINE, 0), (LINE, -1)])
def test_invalid_repetitions_are_refused(line: bytes, times: int) -> None:
    with pytest.raises(ValueError, match="must"):
        repeat_line(line, times)


def test_checksums_are_computed_without_the_bytes() -> None:
    numbers = random.Random(3)
    for _ in range(50):
        first, second = (numbers.randbytes(numbers.randrange(300)) for _ in range(2))
        times = numbers.randrange(40)

        assert crc32_of_joined(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)
        assert crc32_of_repeated(zlib.crc32(first), len(first), times) == zlib.crc32(first * times)


def test_repetition_can_be_copied_from_any_offset() -> None:
    repetition = Repetition(b"ab", b"12345", 3, b"xyz")
    whole = repetition.read_all()

    for start in range(len(whole)):
        target = bytearray(len(whole))
        count = repetition.copy_into(memoryview(target), start)
        assert count > 0
        assert target[:count] == whole[start : start + count]


@pytest.mark.parametrize("directory_entry", [False, True])
def test_generated_archive_is_a_valid_zip(tmp_path: Path, directory_entry: bool) -> None:  # noqa: FBT001 - a parameter
    plain = gzip.compress(b"{}\n")
    repeated = repeat_line(LINE, 100_000)
    path = tmp_path / "export.zip"
    with open_generated_archive(
        [(name(627), repeated.packed), (name(70), Repetition(plain))], directory_entry=directory_entry
    ) as file:
        path.write_bytes(file.read())

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert [info.filename for info in archive.infolist()] == [
            *(["100200/"] if directory_entry else []),
            "100200/100200_2026-03-04_9#627.json.gz",
            "100200/100200_2026-03-04_9#70.json.gz",
        ]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(2026, 3, 4, 9, 0, 0)}
        assert gzip.decompress(archive.read(str(name(627)))) == (LINE + b"\n") * 100_000
        assert archive.read(str(name(70))) == plain


def test_archive_below_4_gib_is_not_zip64() -> None:
    member = repeat_line(LINE, 3_990_000_000 // (len(LINE) + 1))
    with open_generated_archive([(name(1), member.packed), (name(2), Repetition(b"end"))]) as file:
        size_bytes = file.seek(0, 2)
        file.seek(size_bytes - 400)

        assert 3_990_000_000 < size_bytes < 4_000_000_000
        assert b"PK\x06\x06" not in file.read()
        with zipfile.ZipFile(file) as archive:
            assert [(info.extra, info.extract_version) for info in archive.infolist()] == [(b"", 20), (b"", 20)]
            assert archive.read(str(name(2))) == b"end"


def test_archive_above_4_gib_is_zip64_in_little_memory() -> None:
    member = repeat_line(b"x" * 999_999, 5 * GIB // 1_000_000)
    contents = [(name(1), Repetition(b"start")), (name(2), member.packed), (name(3), Repetition(b"end"))]
    with open_generated_archive(contents) as file, zipfile.ZipFile(file) as archive:
        file.seek(-200, 2)
        end = file.read()
        first, second, third = archive.infolist()

        assert b"PK\x06\x06" in end
        assert b"PK\x06\x07" in end
        assert [info.extract_version for info in (first, second, third)] == [20, 45, 45]
        assert (second.file_size, second.CRC) == (member.packed.size_bytes, member.packed.crc32)
        assert third.header_offset > 4 * GIB
        assert archive.read(first) == b"start"
        assert archive.read(third) == b"end"
        with archive.open(second) as packed, gzip.open(packed) as content:
            assert content.read(1_000_001) == b"x" * 999_999 + b"\nx"
        file.seek(second.header_offset + 26)
        name_bytes, extra_bytes = (int.from_bytes(file.read(2), "little") for _ in range(2))
        assert (name_bytes, extra_bytes) == (len(second.filename), 20)  # the local header also has both sizes


def test_archive_of_many_members_is_zip64() -> None:
    contents = [(name(number), Repetition(b"m")) for number in range(70_000)]
    with open_generated_archive(contents) as file, zipfile.ZipFile(file) as archive:
        assert len(archive.infolist()) == 70_000


def test_export_mixes_repeated_and_plain_members(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    emulator.store.add_member(nine, [b'{"n":1}'], 70)
    member = emulator.store.put_repeated(nine, 627, LINE, 200_000)
    response = client.export("20260304T09")

    assert response.status == 200
    assert int(response.headers["Content-Length"]) == len(response.body) > member.size_bytes
    assert list(response.members) == [str(name(627)), str(name(70))]
    assert response.lines == emulator.store.lines() == [LINE] * 200_000 + [b'{"n":1}']


def test_archive_limit_counts_repeated_members(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    emulator.store.put_repeated(nine, 7, LINE, 4_000_000_000 // (len(LINE) + 1))

    assert client.export("20260304T09").status == 400


def test_repeated_member_can_be_put_from_another_process(client: AmplitudeClient) -> None:
    path = "hours/20260304T09/members/7/repeated"
    put = client.request("PUT", f"/_emulator/{path}?times=3&level=6", LINE + b"\n")
    refused = client.request("PUT", f"/_emulator/{path}?times=0", LINE)

    assert (put.status, refused.status) == (200, 400)
    assert client.export("20260304T09").lines == [LINE] * 3


def test_faults_apply_to_generated_archives(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    emulator.store.put_repeated(nine, 7, LINE, 50_000)
    whole = client.export("20260304T09").body
    emulator.faults.add("slow_drip", times=1, bytes_per_second=len(whole) * 10)
    slow = client.export("20260304T09").body
    emulator.faults.add("clipped_archive", times=1)
    clipped = client.export("20260304T09").body

    assert slow == whole != clipped


def test_repeated_member_can_be_replaced_and_removed(emulator: Emulator, nine: datetime) -> None:
    store = emulator.store
    first = store.put_repeated(nine, 7, LINE, 3)
    second = store.put_repeated(nine, 7, LINE, 2)
    assert first.revision < second.revision
    assert store.stored_bytes == second.size_bytes

    store.rewrite_lines(nine, 7, [b"{}"])
    assert (store.lines(), store.repeated(name(7))) == ([b"{}"], None)

    store.put_repeated(nine, 7, LINE, 1)
    assert gzip.decompress(store.read(name(7)) or b"") == LINE + b"\n"

    store.remove_member(nine, 7)
    assert (store.members(), store.read(name(7)), store.repeated(name(7))) == ([], None, None)

    store.put_repeated(nine, 7, LINE, 1)
    store.clear()
    assert store.members(nine, nine + timedelta(hours=1)) == []


def test_repeated_member_refuses_append_and_recompress(emulator: Emulator, nine: datetime) -> None:
    emulator.store.put_repeated(nine, 7, LINE, 3)

    with pytest.raises(ValueError, match="is a repeated line"):
        emulator.store.append_lines(nine, 7, [b"{}"])
    with pytest.raises(ValueError, match="is a repeated line"):
        emulator.store.recompress(nine, 7)
