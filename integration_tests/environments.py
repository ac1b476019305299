"""Environments beside ours, for programs whose packages cannot be with ours: made once, and recognised by a stamp."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]

_INSTALL_SECONDS = 900


class NoSuitablePythonError(RuntimeError):
    """This machine has no Python that the package runs with."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the project's folder with one package of PyPI.

    Args:
        name: The folder's, such as ``.venv-upstream``.
        requirement: What pip installs.
        pythons: All that the package's metadata allow, the preferred first.
        variable: Names a Python that is not on the ``PATH``.
        made_of: Files that say what is installed: where one changes, the environment is made anew.
    """

    name: str
    requirement: str
    pythons: tuple[tuple[int, int], ...]
    variable: str
    made_of: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        return PROJECT / self.name

    @property
    def python(self) -> Path:
        return self.command("python")

    def command(self, name: str) -> Path:
        """Return a program of the environment."""
        return self.folder / "bin" / name

    def make(self) -> None:
        """Make the environment where it is missing, or is another.

        Raises:
            NoSuitablePythonError: See there.
            RuntimeError: pip failed; the text is pip's.
        """
        if self._is_finished():
            return
        python = self._find_python()
        shutil.rmtree(self.folder, ignore_errors=True)
        _run(python, "-m", "venv", str(self.folder))
        _run(str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", self.requirement)
        self._stamp.write_text(self._content, encoding="utf-8")

    @property
    def _stamp(self) -> Path:
        return self.folder / ".installed"

    @property
    def _content(self) -> str:
        # Scripts in an environment name its folder, so it cannot be moved.
        sums = "".join(f" with {path.name} {zlib.crc32(path.read_bytes()):08x}" for path in self.made_of)
        return f"{self.requirement} in {self.folder}{sums}\n"

    def _is_finished(self) -> bool:
        if not self._stamp.is_file() or self._stamp.read_text(encoding="utf-8") != self._content:
            return False
        # Run, since the Python that it links to may have been removed meanwhile.
        return _version_of(str(self.python)) in self.pythons

    def _find_python(self) -> str:
        named = os.environ.get(self.variable)
        versions = [".".join(map(str, version)) for version in self.pythons]
        candidates = [named] if named else [sys.executable, *(f"python{version}" for version in versions)]
        for candidate in candidates:
            if _version_of(candidate) in self.pythons:
                return candidate
        raise NoSuitablePythonError(
            f"{self.requirement} needs Python {' or '.join(versions)}, and this machine has none of them on its PATH. "
            f"Name one: {self.variable}=/path/to/python{versions[0]}"
        )


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


def make_from_the_command_line(environment: Environment) -> None:
    """Make it and print its folder, or say in one line why it cannot be."""
    try:
        environment.make()
    except NoSuitablePythonError as reason:
        sys.exit(str(reason))
    sys.stdout.write(f"{environment.folder}\n")
