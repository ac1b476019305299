"""The environment `.venv-upstream` for airbyte-source-amplitude from PyPI, separate from ours.

It needs CDK 4, ours CDK 7. ``python -m integration_tests.upstream.environment`` creates it manually.
"""

from __future__ import annotations

import base64
import csv
import hashlib
from typing import TYPE_CHECKING

from integration_tests.environments import Environment, make_from_the_command_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = "airbyte-source-amplitude"
VERSION = "0.6.19"
ENVIRONMENT = Environment(".venv-upstream", f"{PACKAGE}=={VERSION}", ((3, 11), (3, 10)), "UPSTREAM_PYTHON")
COMMAND = ENVIRONMENT.command("source-amplitude")


def changed_files() -> list[str]:
    """Return the installed files of the package that differ from the hashes in its wheel."""
    site = next(ENVIRONMENT.folder.glob("lib/python3.*/site-packages"))
    changed = []
    for name, published in _published_hashes(site):
        path = site / name
        if not path.is_file() or _hash(path) != published:
            changed.append(name)
    return changed


def _published_hashes(site: Path) -> Iterator[tuple[str, str]]:
    record = next(site.glob(f"{PACKAGE.replace('-', '_')}-{VERSION}.dist-info")) / "RECORD"
    with record.open(encoding="utf-8", newline="") as file:
        for name, published, _ in csv.reader(file):
            if name.startswith("source_amplitude/") and published:
                yield name, published


def _hash(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


if __name__ == "__main__":
    make_from_the_command_line(ENVIRONMENT)
