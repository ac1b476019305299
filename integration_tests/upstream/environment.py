"""The environment `.venv-upstream`: airbyte-source-amplitude as PyPI has it, apart from ours.

It needs CDK 4, ours CDK 7. ``python -m integration_tests.upstream.environment`` makes it by hand.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "airbyte-source-amplitude"
VERSION = "0.6.19"
REQUIREMENT = f"{PACKAGE}=={VERSION}"
FOLDER = Path(__file__).parents[2] / ".venv-upstream"
COMMAND = FOLDER / "bin" / "source-amplitude"
PYTHON_VARIABLE = "UPSTREAM_PYTHON"

_STAMP = FOLDER / ".installed"
_CONTENT = f"{REQUIREMENT} in {FOLDER}\n"  # scripts in an environment name its folder, so it cannot be moved
# All that the package's metadata allow.
_PYTHONS = ((3, 11), (3, 10))
_INSTALL_SECONDS = 600


class NoSuitablePythonError(RuntimeError):
    """This machine has no Python that the package runs with."""

    def __init__(self) -> None:
        super().__init__(
            f"{REQUIREMENT} needs Python 3.11 or 3.10, and this machine has neither on its PATH. "
            f"Name one: {PYTHON_VARIABLE}=/path/to/python3.11"
        )


def make_environment() -> Path:
    """Make the environment where it is missing or another, and return the connector's command.

    Raises:
        NoSuitablePythonError: See there.
        RuntimeError: pip failed; the text is pip's.
    """
    if _is_finished():
        return COMMAND
    python = _find_python()
    shutil.rmtree(FOLDER, ignore_errors=True)
    _run(python, "-m", "venv", str(FOLDER))
    _run(str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", REQUIREMENT)
    _STAMP.write_text(_CONTENT, encoding="utf-8")
    return COMMAND


def changed_files() -> list[str]:
    """Return which of the package's installed files are not as published, by the hashes of its wheel."""
    site = next(FOLDER.glob("lib/python3.*/site-packages"))
    changed = []
    for name, published in _published_hashes(site):
        path = site / name
        if not path.is_file() or _hash(path) != published:
            changed.append(name)
    return changed


def _is_finished() -> bool:
    if not _STAMP.is_file() or _STAMP.read_text(encoding="utf-8") != _CONTENT:
        return False
    # Run, since the Python that it links to may have been removed meanwhile.
    return _version_of(str(FOLDER / "bin" / "python")) in _PYTHONS and COMMAND.is_file()


def _find_python() -> str:
    named = os.environ.get(PYTHON_VARIABLE)
    candidates = [named] if named else [sys.executable, "python3.11", "python3.10"]
    for candidate in candidates:
        if _version_of(candidate) in _PYTHONS:
            return candidate
    raise NoSuitablePythonError


def _version_of(python: str) -> tuple[int, ...] | None:
    """Return (major, minor) by running it: a name on the PATH may be a shim with nothing behind it."""
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return tuple(int(part) for part in answer.stdout.split())


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")


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
    try:
        sys.stdout.write(f"{make_environment()}\n")
    except NoSuitablePythonError as reason:
        sys.exit(str(reason))
