"""Additional virtual environments for packages that conflict with ours; a stamp records their content."""

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
    """No suitable Python for the package is installed."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the project's folder with packages from PyPI.

    Args:
        name: The name of the folder, such as ``.venv-upstream``.
        requirement: The requirement of the main package for pip.
        pythons: The Python versions that the package supports, the preferred one first.
        variable: The environment variable with the path of a Python that is not on the ``PATH``.
        further: The requirements of other packages.
        made_of: The files that determine the installed packages; a change of one recreates the environment.
    """

    name: str
    requirement: str
    pythons: tuple[tuple[int, int], ...]
    variable: str
    further: tuple[str, ...] = ()
    made_of: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        return PROJECT / self.name

    @property
    def python(self) -> Path:
        return self.command("python")

    def command(self, name: str) -> Path:
        """Return the path of a program in the environment."""
        return self.folder / "bin" / name

    def make(self) -> None:
        """Create the environment if it is missing or outdated.

        Raises:
            NoSuitablePythonError: No suitable Python is installed.
            RuntimeError: pip failed; the text is its output.
        """
        if self._is_finished():
            return
        python = self._find_python()
        shutil.rmtree(self.folder, ignore_errors=True)
        _run(python, "-m", "venv", str(self.folder))
        pip = (str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, self.requirement, *self.further)
        self._stamp.write_text(self._content, encoding="utf-8")

    @property
    def _stamp(self) -> Path:
        return self.folder / ".installed"

    @property
    def _content(self) -> str:
        # Scripts in an environment contain its path, so it cannot be moved.
        sums = "".join(f" with {path.name} {zlib.crc32(path.read_bytes()):08x}" for path in self.made_of)
        return f"{' '.join([self.requirement, *self.further])} in {self.folder}{sums}\n"

    def _is_finished(self) -> bool:
        if not self._stamp.is_file() or self._stamp.read_text(encoding="utf-8") != self._content:
            return False
        # Run it, because the Python that it links to may have been removed.
        return _version_of(str(self.python)) in self.pythons

    def _find_python(self) -> str:
        named = os.environ.get(self.variable)
        versions = [".".join(map(str, version)) for version in self.pythons]
        candidates = [named] if named else [sys.executable, *(f"python{version}" for version in versions)]
        for candidate in candidates:
            if _version_of(candidate) in self.pythons:
                return candidate
        raise NoSuitablePythonError(
            f"{self.requirement} needs Python {' or '.join(versions)}, which is not on the PATH. "
            f"Set {self.variable}=/path/to/python{versions[0]}"
        )


def _version_of(python: str) -> tuple[int, ...] | None:
    """Run the Python and return (major, minor); a name on the PATH may be an empty shim."""
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
    """Create the environment and print its folder, or print one line with the error."""
    try:
        environment.make()
    except NoSuitablePythonError as reason:
        sys.exit(str(reason))
    sys.stdout.write(f"{environment.folder}\n")
