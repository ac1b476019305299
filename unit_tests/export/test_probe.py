from __future__ import annotations

import io
import zipfile
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

import pytest

from source_amplitude.errors import (
    CorruptArchiveError,
    EmptyArchiveError,
    ExportTooLargeError,
    ExportTooSlowError,
    ServerFailureError,
)
from source_amplitude.export import Probe, probe_export
from source_amplitude.export.probe import first_member, has_members
from source_amplitude.members import MemberName
from source_amplitude.windows import HOUR, HourWindow
from unit_tests.fakes.fake_exporter import FakeExporter, Scripted

if TYPE_CHECKING:
    from source_amplitude.api import AmplitudeClient

START = datetime(2026, 3, 4, tzinfo=timezone.utc)
WINDOW = HourWindow(START, START + HOUR)
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


def probed(response: Scripted) -> Probe | None:
    exporter = cast("AmplitudeClient", FakeExporter({WINDOW: [response]}))
    return probe_export(exporter, WINDOW)


def test_archive_returns_its_first_member() -> None:
    assert probed(archive("100200/100200_2026-03-04_0#1.json.gz")) == Probe(MemberName("100200", START, 1))


def test_404_of_amplitude_returns_none() -> None:
    assert probed(None) is None


@pytest.mark.parametrize("names", [(), ("100200/100200_2026-03-04_7#1.json.gz",)], ids=["empty", "another hour"])
def test_archive_of_other_hours_is_inconclusive(names: tuple[str, ...]) -> None:
    with pytest.raises(EmptyArchiveError):
        probed(archive(*names))


def test_too_large_archive_has_files() -> None:
    assert probed(ExportTooLargeError("It is too large.")) == Probe(None)


@pytest.mark.parametrize("body", [b"", b"PK", b"<html>slow down</html>"])
def test_other_body_is_an_error(body: bytes) -> None:
    with pytest.raises(CorruptArchiveError):
        probed(body)


def test_timeout_is_inconclusive() -> None:
    with pytest.raises(ExportTooSlowError):
        probed(ExportTooSlowError("HTTP 504"))


def test_other_errors_are_raised_unchanged() -> None:
    with pytest.raises(ServerFailureError):
        probed(ServerFailureError("HTTP 500"))


def test_archive_with_a_member_has_members() -> None:
    assert has_members(archive("100200/100200_2026-03-04_9#1.json.gz"))


def test_empty_archive_has_no_members() -> None:
    assert not has_members(archive())


@pytest.mark.parametrize("body", [b"", b"PK", b"<html>", b'{"error":{}}'])
def test_has_members_raises_for_other_bodies(body: bytes) -> None:
    with pytest.raises(CorruptArchiveError):
        has_members(body)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_first_member_is_found(method: int) -> None:
    assert str(first_member(archive(MEMBER, method=method))) == MEMBER


def test_folder_is_not_a_member() -> None:
    assert str(first_member(archive("100200/", MEMBER))) == MEMBER


STRAY = {"__MACOSX/100200/._x.json.gz": b"\0\5\x16\7", "a/.DS_Store": b"\0\0\0\1Bud1", "100200/100200_complete": b""}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", STRAY)
def test_stray_file_is_not_a_member(name: str, method: int) -> None:
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
def test_marker_is_a_member_only_if_it_is_gzip(content: bytes) -> None:
    assert not has_members(archive_of({"100200/complete": content}))
    assert has_members(archive_of({"100200/complete": b"\x1f\x8b"}))
    assert str(first_member(archive_of({"100200/complete": content, MEMBER: b"x"}))) == MEMBER
    assert first_member(archive_of({"100200/complete": b"\x1f\x8b", MEMBER: b"x"})) is None


@pytest.mark.parametrize(
    "beginning",
    [archive("100200/"), archive("readme.txt"), archive(MEMBER)[:40], b"PK\x03\x04"],
    ids=["only a folder", "another name", "a cut name", "a cut header"],
)
def test_first_member_is_none_if_unknown(beginning: bytes) -> None:
    assert first_member(beginning) is None
