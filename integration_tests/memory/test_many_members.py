"""Peak memory does not grow with the number of members: each one adds about 100 bytes. README.md has the numbers."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration_tests.memory.lines import NINE
from integration_tests.memory.measuring import measure

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from integration_tests.memory.conftest import Report

pytestmark = [pytest.mark.memory, pytest.mark.timeout(1800)]

MOST_MEMORY_BYTES = 150_000_000
MEMBERS = 300_000
CONTENT = gzip.compress(b'{"uuid":"5f9a1c1e-0c4e-4a0e-9d54-0f4e9d1c2b3a","event_type":"a"}\n', mtime=0)


@pytest.mark.parametrize("hours", [1, 10])
def test_300000_members_need_less_than_150_mb(emulator: Emulator, tmp_path: Path, report: Report, hours: int) -> None:
    for back in range(hours):
        for partition in range(MEMBERS // hours):
            emulator.store.put_gzip(NINE - timedelta(hours=back), partition, CONTENT)

    measured = measure(emulator, tmp_path, start_date="2026-03-04T00:00:00Z")
    report(f"{MEMBERS:,} members in {hours} hours", measured)

    assert (measured.exit_code, measured.records) == (0, MEMBERS)
    assert measured.peak_bytes < MOST_MEMORY_BYTES
