from __future__ import annotations

import io
import zipfile

import pytest

from source_amplitude.archive import first_member, has_members
from source_amplitude.errors import CorruptArchiveError

MEMBER = "100200/100200_2026-03-04_9#1.json.gz"


def archive(*names: str, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name in names:
            made.writestr(name, b"" if name.endswith("/") else b"content")
    return file.getvalue()


def archive_of(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return made.getvalue()


def test_an_archive_with_a_member_has_members() -> None:
    assert has_members(archive("100200/100200_2026-03-04_9#1.json.gz"))


def test_an_archive_without_any_has_none() -> None:
    assert not has_members(archive())


@pytest.mark.parametrize("body", [b"", b"PK", b"<html>", b'{"error":{}}'])
def test_what_is_no_archive_is_refused(body: bytes) -> None:
    with pytest.raises(CorruptArchiveError):
        has_members(body)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_first_member_is_found(method: int) -> None:
    assert str(first_member(archive(MEMBER, method=method))) == MEMBER


def test_a_folder_before_the_first_member_is_no_member() -> None:
    assert str(first_member(archive("100200/", MEMBER))) == MEMBER


STRAY = {"__MACOSX/100200/._x.json.gz": b"\0\5\x16\7", "a/.DS_Store": b"\0\0\0\1Bud1", "100200/100200_complete": b""}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", STRAY)
def test_a_stray_file_before_the_first_member_is_no_member(name: str, method: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        file.writestr(name, STRAY[name])
    alone = made.getvalue()
    with zipfile.ZipFile(made, "a", method) as file:
        file.writestr(MEMBER, b"\x1f\x8b")

    assert (has_members(alone), first_member(alone)) == (
        name.endswith("complete") and method != zipfile.ZIP_STORED,
        None,
    )
    assert has_members(made.getvalue())


@pytest.mark.parametrize("content", [b"", b"done"])
def test_a_marker_is_a_member_only_where_it_is_a_gzip_file(content: bytes) -> None:
    assert not has_members(archive_of({"100200/complete": content}))
    assert has_members(archive_of({"100200/complete": b"\x1f\x8b"}))
    assert str(first_member(archive_of({"100200/complete": content, MEMBER: b"x"}))) == MEMBER
    assert first_member(archive_of({"100200/complete": b"\x1f\x8b", MEMBER: b"x"})) is None


@pytest.mark.parametrize(
    "beginning",
    [archive("100200/"), archive("readme.txt"), archive(MEMBER)[:40], b"PK\x03\x04"],
    ids=["only a folder", "another name", "a cut name", "a cut header"],
)
def test_another_beginning_says_nothing(beginning: bytes) -> None:
    assert first_member(beginning) is None
