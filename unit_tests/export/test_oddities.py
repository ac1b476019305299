"""A sync logs each kind of oddity once, with counts and without quoting events."""

from __future__ import annotations

import io
import logging
import zipfile
from functools import partial
from typing import TYPE_CHECKING

from source_amplitude.archive import open_archive
from source_amplitude.export import archives
from source_amplitude.export.oddities import Oddities
from source_amplitude.records import Findings, Oddity, OddityKind, RepairedLine
from source_amplitude.windows import hour_window
from unit_tests.conftest import NOON

if TYPE_CHECKING:
    import pytest

MARK, BYTES = OddityKind.BYTE_ORDER_MARK, OddityKind.NOT_UTF8


def warnings_of(caplog: pytest.LogCaptureFixture, oddities: Oddities) -> list[str]:
    with caplog.at_level(logging.WARNING, "airbyte"):
        oddities.log_warnings("events")
    return caplog.messages


def test_no_findings_log_no_warnings(caplog: pytest.LogCaptureFixture) -> None:
    assert (warnings_of(caplog, Oddities()), Oddities().summary_parts()) == ([], [])


def test_repaired_lines_are_counted_with_first_positions(caplog: pytest.LogCaptureFixture) -> None:
    oddities = Oddities()
    for batch in range(4):
        lines = (RepairedLine(1, MARK), RepairedLine(3, BYTES))
        oddities.add(Findings({Oddity(MARK): 1, Oddity(BYTES): 2}, lines), partial("{}:{}".format, batch))

    assert warnings_of(caplog, oddities) == [
        (
            "events: Lines were repaired and emitted: 8 with bytes that are not UTF-8 (now U+FFFD), 4 with a byte "
            "order mark (removed); first: 0:1 (a byte order mark); 0:3 (bytes that are not UTF-8); 1:1 (a byte order "
            "mark); 1:3 (bytes that are not UTF-8); 2:1 (a byte order mark)."
        )
    ]
    assert oddities.summary_parts() == ["12 lines repaired"]


def test_values_are_counted_by_field_and_type(caplog: pytest.LogCaptureFixture) -> None:
    oddities = Oddities()
    counts = {
        Oddity(OddityKind.MISFIT, "paying", "boolean", "string"): 1000,
        Oddity(OddityKind.MISFIT, "paying", "boolean", "integer"): 2,
        Oddity(OddityKind.LEFT_OUT, "paying"): 3,
        Oddity(OddityKind.SURROGATE, "city"): 4,
    }
    oddities.add(Findings(counts), str)

    assert warnings_of(caplog, oddities) == [
        "events: Lone surrogates (not valid in UTF-8) were replaced with U+FFFD: city (4).",
        (
            "events: Values that do not have the declared type of their field were emitted unchanged: paying is "
            "declared as boolean, but was integer (2), string (1,000). docs/connector.md describes how typed "
            "destinations handle them."
        ),
        (
            "events: Values that do not fit the type of their column are left out (column _other is not selected): "
            "paying (3)."
        ),
    ]


def test_followed_by_adds_counts_and_shifts_positions() -> None:
    first = Findings({Oddity(MARK): 1}, (RepairedLine(2, MARK),))
    second = Findings({Oddity(MARK): 2, Oddity(BYTES): 1}, (RepairedLine(0, BYTES),))

    both = first.followed_by(second, lines_before=10)

    assert both == Findings({Oddity(MARK): 3, Oddity(BYTES): 1}, (RepairedLine(2, MARK), RepairedLine(10, BYTES)))
    assert first.followed_by(Findings()) == first


def test_stray_file_names_are_escaped_in_the_warning(caplog: pytest.LogCaptureFixture) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number in range(6):
            made.writestr(f"__MACOSX/\x1b[2J{number}", b"x")

    with open_archive(file) as archive:
        archives._log_stray_files(archive, hour_window(NOON))  # noqa: SLF001 - no emulator has such archives

    names = ", ".join(f"'__MACOSX/\\x1b[2J{number}'" for number in range(5))
    assert caplog.messages == [
        (
            "The export for 2026-03-04 12:00 UTC contains files that are not members. They are ignored: "
            f"{names} and 1 more."
        )
    ]


def test_unexplained_bytes_are_located_in_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    file = io.BytesIO(b"secret" + zip_bytes({"a": b"x", "b": b"y"}) + b"!")

    with open_archive(file) as archive:
        archives._log_unexplained_bytes(archive, hour_window(NOON))  # noqa: SLF001 - no emulator has such archives

    assert caplog.messages == [
        (
            "The export for 2026-03-04 12:00 UTC has 7 bytes that belong to no member (6 bytes at 0, 1 byte at 186). "
            "They were skipped. Please report this warning: Amplitude's archives are not known to have such bytes."
        )
    ]


def test_an_archive_without_unexplained_bytes_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with open_archive(io.BytesIO(zip_bytes({"a": b"x"}))) as archive:
        archives._log_unexplained_bytes(archive, hour_window(NOON))  # noqa: SLF001 - as above

    assert caplog.messages == []


def zip_bytes(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return file.getvalue()
