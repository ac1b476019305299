"""The virtual environments below `.bench`: one per measured program, with separate packages.

They are created with uv if installed, else with venv and pip. A stamp in each records its content.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT / ".bench"

CDK = "airbyte-cdk==7.39.1"
BARE_PACKAGES = ("isal==1.9.1", "msgspec==0.23.0", "orjson==3.13.0", "requests==2.34.2")
PROFILER = "py-spy==0.4.3"
CHART_PACKAGES = ("matplotlib==3.11.2",)

_INSTALL_SECONDS = 900
_OUR_PACKAGE, _OUR_FILES = "source-amplitude-ledger", ("README.md", "source_amplitude/**/*")


@dataclass(frozen=True)
class Environment:
    """An existing virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        """The path of its interpreter."""
        return self.folder / "bin" / "python"

    def command(self, name: str) -> Path:
        """Return the path of a program that one of its packages installed."""
        return self.folder / "bin" / name

    def versions(self, *packages: str) -> str:
        """Return the versions of its Python and of installed packages, for the report."""
        code = (
            "import platform, sys; from importlib.metadata import version; "
            "print(', '.join([f'{name} {version(name)}' for name in sys.argv[1:]] + "
            "[f'Python {platform.python_version()}']))"
        )
        return _run(str(self.python), "-I", "-c", code, *packages).strip()


@contextmanager
def alone() -> Iterator[None]:
    """Wait for another run of the benchmark; concurrent runs would disturb each other's figures and environments."""
    _make_folder()
    with (FOLDER / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("Waiting for another run of the benchmark to end ...\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_ours(project: Path = PROJECT, name: str = "ours") -> Environment:
    """Install a checkout of the connector as a user does; reinstall it if one of its files has changed."""
    environment = _make(name, (f"{project}[land,parquet]",), _fingerprint(project, "pyproject.toml"))
    stamp = environment.folder / ".package"
    fingerprint = _fingerprint(project, *_OUR_FILES)
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != fingerprint:
        sys.stderr.write(f"Installing {project} into .bench/{name} ...\n")
        _install(environment.folder, ("--no-deps", "--force-reinstall", str(project)))
        stamp.write_text(fingerprint, encoding="utf-8")
    return environment


def make_declarative() -> Environment:
    """Install only the CDK, which includes ``source-declarative-manifest``."""
    return _make("declarative", (CDK,))


def make_bare() -> Environment:
    """Install the dependencies of the bare script."""
    return _make("bare", BARE_PACKAGES)


def make_profiler() -> Environment:
    """Install the sampling profiler."""
    return _make("profiler", (PROFILER,))


def make_chart() -> Environment:
    """Install the plotting library, pinned, so that a new run changes only the lines of the chart."""
    return _make("chart", CHART_PACKAGES)


def draw_chart(lines: list[dict[str, Any]], path: Path) -> None:
    """Run `growth_chart` in its environment."""
    program = str(make_chart().python), "-m", "benchmarks.growth_chart", str(path.absolute())
    subprocess.run(program, cwd=PROJECT, input=json.dumps(lines), text=True, check=True, timeout=_INSTALL_SECONDS)


def _make(name: str, requirements: tuple[str, ...], fingerprint: str = "") -> Environment:
    folder = FOLDER / name
    stamp = folder / ".installed"
    content = "\n".join((*requirements, sys.version, fingerprint))
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != content:
        sys.stderr.write(f"Creating the environment .bench/{name} ...\n")
        shutil.rmtree(folder, ignore_errors=True)
        _make_folder()
        _create(folder)
        _install(folder, requirements)
        stamp.write_text(content, encoding="utf-8")
    return Environment(folder)


def _make_folder() -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n", encoding="utf-8")


def _create(folder: Path) -> None:
    uv = shutil.which("uv")
    if uv:
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
    else:
        _run(sys.executable, "-m", "venv", str(folder))


def _install(folder: Path, requirements: tuple[str, ...]) -> None:
    """Install with bytecode, as pip does by default, so that the first start is not slower."""
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv")
    if uv:
        # Without this option, uv would take a checkout's files from its cache even if they have changed.
        options = ("--quiet", "--compile-bytecode", "--reinstall-package", _OUR_PACKAGE)
        _run(uv, "pip", "install", "--python", python, *options, *requirements)
    else:
        _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)


def _fingerprint(project: Path, *patterns: str) -> str:
    """Return a hash of the checkout's files."""
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(project.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(project)}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")
    return result.stdout
