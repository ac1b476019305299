from __future__ import annotations

import io
import zipfile

import pytest

from source_amplitude.archive import open_archive
from unit_tests.archive.test_zip_archive import FIRST, packed, zipped


def test_stray_files_are_listed_separately_from_members() -> None:
    marker = "100200/100200_2024-03-01_9_complete"
    stray = {"__MACOSX/100200/._x.json.gz": b"\0\5\x16\7", ".DS_Store": b"Bud1", "a/.DS_Store": b"", marker: b"done"}
    others = {FIRST: packed(b'{"a":1}\n'), "complete": packed(b'{"a":2}\n'), "incomplete.txt": b"", "._x": b"\0\5"}

    with open_archive(io.BytesIO(zipped({**stray, **others, "100200/": b""}))) as archive:
        assert {member.text for member in archive.stray} == set(stray)
        assert {member.text for member in archive.members} == set(others)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_empty_marker_is_a_stray_file(method: int) -> None:
    with open_archive(io.BytesIO(zipped({"x_complete": b"", FIRST: packed(b"{}")}, method=method))) as archive:
        names = [[member.text for member in members] for members in (archive.stray, archive.members)]

    assert names == [["x_complete"], [FIRST]]
