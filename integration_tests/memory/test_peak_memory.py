"""Peak memory does not depend on the archive's size, and disk usage stays within its budget."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from integration_tests.memory.lines import NINE, array_line, text_line, usual_line
from integration_tests.memory.measuring import Measured, measure
from source_amplitude.archive.lines import MAX_LINE_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from integration_tests.memory.conftest import Report

pytestmark = [pytest.mark.memory, pytest.mark.timeout(1800)]

MB = 1_000_000
MOST_MEMORY_BYTES = 150 * MB
SPREAD_BYTES = 8 * MB  # thousands of lines of 1 MB leave holes in the heap: 6.3 MB measured
SMALL_ARCHIVE_BYTES, LARGE_ARCHIVE_BYTES = 40 * MB, 3_990 * MB
SPARE_DISK_BYTES = 1_000 * MB

AT_NINE = "2026-03-04T09:00:00Z"
LINES_AROUND = 1_000
PARTITION, LONG_PARTITION = 7, 70

MakeLine = Callable[[], bytes]  # called by the test, so that collection does not create lines of 50 MB


def require_disk(folder: Path, archive_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < archive_bytes + SPARE_DISK_BYTES:
        pytest.skip(
            f"{folder} has {free_bytes / 1e9:.1f} GB free; an archive of {archive_bytes / 1e9:.1f} GB needs more"
        )


def read_repeated(emulator: Emulator, folder: Path, line: bytes, archive_bytes: int) -> Measured:
    """Read an archive with one member that repeats ``line``, and verify that every line is a record."""
    times = archive_bytes // (len(line) + 1)
    member = emulator.store.put_repeated(NINE, PARTITION, line, times)
    require_disk(folder, member.size_bytes)
    assert abs(member.size_bytes - archive_bytes) < archive_bytes * 0.01

    measured = measure(emulator, folder, start_date=AT_NINE)

    assert (measured.exit_code, measured.records, measured.stderr) == (0, times, "")
    assert measured.disk_bytes >= member.size_bytes * 0.9  # the whole archive was on disk
    return measured


@pytest.mark.parametrize(
    "make_line",
    [usual_line, partial(text_line, MB), partial(array_line, MB, '{"a":1}')],
    ids=["lines of 1.7 KB", "lines of 1 MB text", "lines of 1 MB small objects"],
)
def test_memory_is_the_same_for_archives_of_40_mb_and_of_4_gb(
    emulator: Emulator, tmp_path: Path, report: Report, make_line: MakeLine
) -> None:
    line = make_line()
    small = read_repeated(emulator, tmp_path, line, SMALL_ARCHIVE_BYTES)
    report("archive of 40 MB", small)
    large = read_repeated(emulator, tmp_path, line, LARGE_ARCHIVE_BYTES)
    report("archive of 4 GB", large)

    assert small.peak_bytes < MOST_MEMORY_BYTES
    assert large.peak_bytes < MOST_MEMORY_BYTES
    assert large.peak_bytes - small.peak_bytes < SPREAD_BYTES


@pytest.mark.parametrize(
    ("make_line", "most_times"),
    [
        (partial(text_line, 50 * MB), 4.5),
        (partial(text_line, 50 * MB, "Ærø, naïve café "), 4.5),
        (partial(text_line, 50 * MB, "漢字かな交じり文"), 4.5),
        # Python stores a text with one such character in four bytes per character, so every parser needs this.
        (partial(text_line, 50 * MB, "lorem ipsum dolor sit amet 😀 "), 7),
        # Each 2 or 3 bytes of JSON become a Python object.
        (partial(array_line, 20 * MB, "12"), 12),
        (partial(array_line, 20 * MB, '{"a":1}'), 36),
    ],
    ids=["ASCII", "Latin-1", "Japanese", "emoji", "small numbers", "small objects"],
)
def test_one_long_line_adds_a_few_times_its_length(
    emulator: Emulator, tmp_path: Path, report: Report, make_line: MakeLine, most_times: float
) -> None:
    line = make_line()
    emulator.store.put_repeated(NINE, PARTITION, usual_line(), LINES_AROUND)
    without = measure(emulator, tmp_path, start_date=AT_NINE)
    emulator.store.put_repeated(NINE, LONG_PARTITION, line, 1)
    with_line = measure(emulator, tmp_path, start_date=AT_NINE)
    times = (with_line.peak_bytes - without.peak_bytes) / len(line)
    report(f"line of {len(line) / MB:.0f} MB", f"adds {times:.2f} times its length; {with_line}")

    assert (without.records, with_line.records) == (LINES_AROUND, LINES_AROUND + 1)
    assert with_line.output_bytes - without.output_bytes > len(line) * 0.9
    assert times < most_times


@pytest.mark.parametrize("element", ["12", '{"a":1}'], ids=["small numbers", "small objects"])
def test_a_line_above_the_cap_is_not_held_in_memory(
    emulator: Emulator, tmp_path: Path, report: Report, element: str
) -> None:
    line = array_line(300 * MB, element)
    emulator.store.put_repeated(NINE, PARTITION, usual_line(), LINES_AROUND)
    emulator.store.put_repeated(NINE, LONG_PARTITION, line, 1, level=9)

    measured = measure(emulator, tmp_path, start_date=AT_NINE)
    report(f"line of {len(line) / MB:.0f} MB", measured)

    assert (measured.exit_code, measured.records) == (1, LINES_AROUND)  # 1: the malformed line is reported
    assert measured.peak_bytes < MOST_MEMORY_BYTES + MAX_LINE_BYTES


@pytest.mark.parametrize("disk_bytes", [600 * MB, 900 * MB])
def test_downloads_ahead_stay_inside_the_disk_budget(
    emulator: Emulator, tmp_path: Path, report: Report, disk_bytes: int
) -> None:
    line = text_line(MB // 10)
    times = 400 * MB // (len(line) + 1)
    hours, workers = 4, 4
    members = [
        emulator.store.put_repeated(NINE - timedelta(hours=back), PARTITION, line, times) for back in range(hours)
    ]
    archive_bytes = max(member.size_bytes for member in members) + 1_000
    require_disk(tmp_path, hours * archive_bytes)

    measured = measure(
        emulator,
        tmp_path,
        start_date="2026-03-04T06:00:00Z",
        request_time_range=1,
        num_workers=workers,
        disk_bytes=disk_bytes,
    )
    report(f"four archives of 400 MB, budget {disk_bytes / MB:.0f} MB", measured)

    assert (measured.exit_code, measured.records) == (0, hours * times)
    # The archive being read may exceed the budget; otherwise an archive above the budget could never be read.
    assert measured.disk_bytes_waiting <= disk_bytes
    assert measured.disk_bytes <= disk_bytes + archive_bytes
    assert measured.peak_bytes < MOST_MEMORY_BYTES
