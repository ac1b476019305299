from __future__ import annotations

import io
import zipfile

import pytest

from source_amplitude.archive import first_project, has_members
from source_amplitude.errors import CorruptArchiveError


def archive(*names: str, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name in names:
            made.writestr(name, b"content")
    return file.getvalue()


def test_an_archive_with_a_member_has_members() -> None:
    assert has_members(archive("100200/100200_2026-03-04_9#1.json.gz"))


def test_an_archive_without_any_has_none() -> None:
    assert not has_members(archive())


@pytest.mark.parametrize("body", [b"", b"PK", b"<html>", b'{"error":{}}'])
def test_what_is_no_archive_is_refused(body: bytes) -> None:
    with pytest.raises(CorruptArchiveError):
        has_members(body)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_first_member_says_the_project(method: int) -> None:
    assert first_project(archive("100200/100200_2026-03-04_9#1.json.gz", method=method)) == "100200"


@pytest.mark.parametrize(
    "beginning",
    [archive("100200/"), archive("readme.txt"), archive("100200/100200_2026-03-04_9#1.json.gz")[:40], b"PK\x03\x04"],
    ids=["a folder", "another name", "a cut name", "a cut header"],
)
def test_another_beginning_says_no_project(beginning: bytes) -> None:
    assert first_project(beginning) is None
