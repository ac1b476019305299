from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from source_amplitude.encoding import usable_processors

if TYPE_CHECKING:
    from pathlib import Path

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(
    ("quota", "processors"),
    [
        ("max 100000\n", HERE),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("6400000 100000\n", min(64, HERE)),
        ("", HERE),
        ("junk", HERE),
    ],
)
def test_a_containers_quota_bounds_the_processors(quota: str, processors: int, tmp_path: Path) -> None:
    quota_file = tmp_path / "cpu.max"
    quota_file.write_text(quota, encoding="ascii")

    assert usable_processors(quota_file) == processors


def test_without_a_quota_all_are_usable(tmp_path: Path) -> None:
    assert usable_processors(tmp_path / "missing") == HERE
