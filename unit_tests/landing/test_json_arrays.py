"""A day as one JSON array: complete and in order, or unchanged."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from io import BytesIO
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.errors import CorruptArchiveError, DiskFullError
from source_amplitude.landing.json_arrays import DayArray, write_day_array
from source_amplitude.records import Oddity, OddityKind
from unit_tests.end_to_end.connector import expected_record
from unit_tests.landing.formats.rendering import CONTENTS, archive_of_hour, emitted, malformed_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Emulator


def opened(*contents: bytes) -> list[tuple[str, IO[bytes]]]:
    return [(f"{number}.json.gz", BytesIO(gzip.compress(content))) for number, content in enumerate(contents)]


def test_array_has_the_sample_records_of_read_in_order(emulator: Emulator, tmp_path: Path) -> None:
    archive, lines_by_member = archive_of_hour(emulator, 400)
    members = [(each.text, archive.packed(each)) for each in archive.members]
    path = tmp_path / "json" / "date=2026-03-04.json"

    written = write_day_array(path, members)

    expected = [expected_record(line) for member in archive.members for line in lines_by_member[member.text]]
    assert json.loads(path.read_bytes()) == expected
    texts = {Oddity(OddityKind.MISFIT, "paying", "boolean", "string")}  # sample data has such values, like Amplitude
    assert {oddity for each in written.findings.values() for oddity in each.counts} == texts
    assert replace(written, findings={}) == DayArray(len(expected), path.stat().st_size)
    assert list(path.parent.iterdir()) == [path]


@given(st.lists(CONTENTS, max_size=3))
@settings(deadline=None)
def test_any_objects_become_valid_json(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("day") / "day.json"

    written = write_day_array(path, opened(*contents))

    lines = [line for content in contents for line in emitted(content).splitlines()]
    assert path.read_bytes() == (b"[\n" + b",\n".join(lines) + b"\n]\n" if lines else b"[\n]\n")
    assert len(json.loads(path.read_bytes())) == written.events == len(lines)
    assert written.malformed_lines == {
        f"{number}.json.gz": len(malformed_lines(content))
        for number, content in enumerate(contents)
        if malformed_lines(content)
    }


def test_array_is_replaced_and_readable_by_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "day.json"
    mask = os.umask(0o022)
    os.umask(mask)

    write_day_array(path, opened(b'{"a":1}\n{"a":2}\n'))
    write_day_array(path, opened(b'{"a":3}'))

    assert path.read_bytes() == b'[\n{"a":3}\n]\n'
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("cut", [slice(0, 0), slice(0, -9), slice(3, None)])
def test_damaged_object_keeps_the_old_array(tmp_path: Path, cut: slice) -> None:
    path = tmp_path / "day.json"
    path.write_bytes(b"[]")
    damaged = BytesIO(gzip.compress(b'{"a":1}\n' * 9)[cut])

    with pytest.raises(CorruptArchiveError, match=r"1\.json\.gz"):
        write_day_array(path, [*opened(b"{}\n"), ("1.json.gz", damaged)])

    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"[]", [path])


def test_objects_are_opened_one_at_a_time_and_closed(tmp_path: Path) -> None:
    files: list[BytesIO] = []

    def one_by_one() -> Iterator[tuple[str, IO[bytes]]]:
        for number in range(3):
            assert all(file.closed for file in files)
            files.append(BytesIO(gzip.compress(b"{}\n")))
            yield str(number), files[-1]

    write_day_array(tmp_path / "day.json", one_by_one())

    assert [file.closed for file in files] == [True, True, True]


def test_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "json").write_bytes(b"a file where the folder should be")

    with pytest.raises(DiskFullError, match=str(tmp_path)):
        write_day_array(tmp_path / "json" / "day.json", opened(b"{}\n"))
