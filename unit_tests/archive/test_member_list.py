from __future__ import annotations

import io
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.archive import open_archive
from source_amplitude.archive.shared_file import FileSection, SharedFile
from source_amplitude.members import MemberName
from unit_tests.archive.zip_builder import File, Zip, gz

if TYPE_CHECKING:
    from source_amplitude.archive import Archive

NINE = datetime(2024, 3, 1, 9, tzinfo=timezone.utc)
NAMES = st.builds(MemberName, st.just("100200"), st.sampled_from([NINE, NINE.replace(hour=10)]), st.integers(0, 9)).map(
    str
)
ODD_NAMES = st.sampled_from(["a", "b.gz", "100200_2024-03-01_9#3.json.gz", "100200/100200_2024-03-01_09#3.json.gz"])


def opened(names: list[str]) -> Archive:
    return open_archive(io.BytesIO(Zip(tuple(File(name, gz(name.encode())) for name in names)).to_bytes()))


@given(st.lists(NAMES | ODD_NAMES, unique=True, max_size=12))
@settings(deadline=None)
def test_members_have_one_order_in_any_directory(names: list[str]) -> None:
    with opened(names) as archive, opened(sorted(names)) as usual:
        members = list(archive.members)
        contents = [archive.packed(member).read() for member in members]

        assert members == list(usual.members)
    assert sorted(member.text for member in members) == sorted(names)
    assert contents == [gz(member.text.encode()) for member in members]
    known = [member.name for member in members if member.name]
    assert known == sorted(known, key=lambda name: (name.hour, name.partition))
    assert [member.name for member in members[: len(members) - len(known)]] == [None] * (len(members) - len(known))


def test_members_are_a_sequence() -> None:
    with opened([f"100200/100200_2024-03-01_9#{partition}.json.gz" for partition in (3, 1, 2)]) as archive:
        members = archive.members

        assert [member.name and member.name.partition for member in members[1:]] == [2, 3]
        assert (len(members), members[0], members[-1]) == (3, *list(members)[::2])
        with pytest.raises(IndexError):
            members[3]


def test_grouped_members_keep_their_order() -> None:
    with opened([f"100200/100200_2024-03-01_9#{partition}.json.gz" for partition in range(7)]) as archive:
        groups = archive.members.grouped(
            lambda member: None if member.text.endswith("#6.json.gz") else member.index % 2
        )

        assert {key: list(members) for key, members in groups.items()} == {
            0: [archive.members[index] for index in (0, 2, 4)],
            1: [archive.members[index] for index in (1, 3, 5)],
        }


def test_threads_read_members_of_one_archive_at_once() -> None:
    names = [f"100200/100200_2024-03-01_9#{partition}.json.gz" for partition in range(300)]
    with opened(names) as archive:
        read: list[dict[str, bytes]] = [{} for _ in range(4)]

        def read_all(into: dict[str, bytes]) -> None:
            for member in archive.members:
                with archive.unpack(member) as content:
                    into[member.text] = content.read(1000)

        threads = [threading.Thread(target=read_all, args=(into,)) for into in read]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert read == [{name: name.encode() for name in names}] * 4


@given(st.binary(max_size=50), st.data())
@settings(deadline=None)
def test_a_section_reads_like_a_file_of_its_own(content: bytes, data: st.DataObject) -> None:
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(content)), st.integers(0, len(content)))))
    section, expected = FileSection(SharedFile(io.BytesIO(content)), start, end - start), io.BytesIO(content[start:end])
    for operation, number in data.draw(st.lists(st.tuples(st.sampled_from("rsei"), st.integers(0, 60)), max_size=8)):
        if operation == "r":
            assert section.read(number) == expected.read(number)
        elif operation == "i":
            mine, other = bytearray(number), bytearray(number)
            assert (section.readinto(mine), mine) == (expected.readinto(other), other)
        else:
            whence = io.SEEK_SET if operation == "s" else io.SEEK_END
            position = number if operation == "s" else -min(number, end - start)
            assert section.seek(position, whence) == expected.seek(position, whence)
        assert section.tell() == expected.tell()
    assert section.read() == expected.read()
