from __future__ import annotations

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
from source_amplitude.export import Glimpse, glance
from source_amplitude.members import MemberName
from source_amplitude.windows import HOUR, HourWindow
from unit_tests.archive.test_beginning import archive
from unit_tests.fakes.fake_exporter import FakeExporter, Scripted

if TYPE_CHECKING:
    from source_amplitude.api import AmplitudeClient

START = datetime(2026, 3, 4, tzinfo=timezone.utc)
WINDOW = HourWindow(START, START + HOUR)


def answered(answer: Scripted) -> Glimpse | None:
    exporter = cast("AmplitudeClient", FakeExporter({WINDOW: [answer]}))
    return glance(exporter, WINDOW)


def test_an_archive_is_seen_with_its_project() -> None:
    assert answered(archive("100200/100200_2026-03-04_0#1.json.gz")) == Glimpse(MemberName("100200", START, 1))


def test_no_files_in_amplitude_s_words_are_nothing() -> None:
    assert answered(None) is None


@pytest.mark.parametrize("names", [(), ("100200/100200_2026-03-04_7#1.json.gz",)], ids=["empty", "another hour"])
def test_an_archive_without_a_file_of_its_window_proves_nothing(names: tuple[str, ...]) -> None:
    with pytest.raises(EmptyArchiveError):
        answered(archive(*names))


def test_an_archive_that_is_too_large_has_files() -> None:
    assert answered(ExportTooLargeError("It is too large.")) == Glimpse(None)


@pytest.mark.parametrize("body", [b"", b"PK", b"<html>slow down</html>"])
def test_a_body_that_is_no_archive_is_an_error(body: bytes) -> None:
    with pytest.raises(CorruptArchiveError):
        answered(body)


def test_an_archive_that_takes_too_long_says_nothing() -> None:
    with pytest.raises(ExportTooSlowError):
        answered(ExportTooSlowError("HTTP 504"))


def test_other_errors_are_what_they_are() -> None:
    with pytest.raises(ServerFailureError):
        answered(ServerFailureError("HTTP 500"))
