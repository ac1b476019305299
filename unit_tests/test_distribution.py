"""The package's name, version and requirements. Texts must not install the package of the same name on PyPI."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from source_amplitude.distribution import (
    DISTRIBUTION,
    REQUIRED,
    REQUIREMENTS,
    VERSION,
    install_command,
    requirement_of,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROJECT = Path(__file__).parents[1]
PYPROJECT = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
TEXTS = sorted(
    {
        path
        for pattern in ("*.md", "*.py", "*.toml", "*.yaml", "*.yml", "*.json", "*.sh", "*.tf", "Makefile", "Dockerfile")
        for path in PROJECT.rglob(pattern)
        if not {"node_modules", "build", "dist", "env"} & set(path.relative_to(PROJECT).parts)
        and not re.match(r"\.(?!ci/|github/)", str(path.relative_to(PROJECT)))
        and path != Path(__file__)
    }
)

_INSTALLERS = re.compile(
    r"(?:pip3?|pipx|uv|poetry|pdm|conda|mamba|pip_install)\W+(?:pip\W+|tool\W+)?(?:install|run|add|sync)\b(?P<words>[^\n#|&;]*)"
    r"|\buvx\b(?P<uvx>[^\n#|&;]*)"
)
# On PyPI, source-amplitude belongs to another owner and our package is not published. Local files may be installed.
_NAME = re.compile(r"source[-_.]+amplitude(?:[-_.]+ledger)?(?![-_\w/]|\.\w)", re.IGNORECASE)


def fetched_by_name(text: str) -> list[str]:
    """Return the install commands in ``text`` that would fetch this package's name from an index."""
    commands = re.sub(r"\\\n\s*", " ", text)
    commands = re.sub(r"(install)\n\s*", r"\1 ", commands)  # commands in prose may be wrapped
    matches = _INSTALLERS.finditer(commands)
    words = ((match, re.split(r"[\s,`\"'()]+", match["words"] or match["uvx"] or "")) for match in matches)
    return [match[0].strip() for match, each in words for word in each if _NAME.match(word)]


def test_version_matches_pyproject() -> None:
    assert version() == VERSION == metadata.version(DISTRIBUTION)
    assert re.search(r'^version = "(.+)"$', PYPROJECT, re.MULTILINE)[1] == VERSION  # type: ignore[index]
    assert re.search(r'^name = "(.+)"$', PYPROJECT, re.MULTILINE)[1] == DISTRIBUTION  # type: ignore[index]


@pytest.mark.parametrize("library", REQUIREMENTS)
def test_requirements_match_pyproject(library: str) -> None:
    stated = set(re.findall(rf'^  "({library}[<>=][^"]*)"|\["({library}[<>=][^"]*)"\]', PYPROJECT, re.MULTILINE))

    stated = {one or other for one, other in stated}
    assert (stated, requirement_of(library)) == ({REQUIREMENTS[library]}, REQUIREMENTS[library])


def test_required_libraries_match_the_metadata() -> None:
    always = [each for each in metadata.requires(DISTRIBUTION) or [] if "extra ==" not in each]

    named = {re.split(r"[ (;]", each)[0] for each in always}
    assert named == {*REQUIRED, "isal", "msgspec"}  # both are optional: slower code replaces them


def test_unknown_library_is_installed_by_its_name() -> None:
    assert install_command("unknown", python="python") == "python -m pip install unknown"


def test_install_command_uses_the_running_python() -> None:
    words = shlex.split(install_command("obstore", "pyarrow"))

    assert words == [sys.executable, "-m", "pip", "install", REQUIREMENTS["obstore"], REQUIREMENTS["pyarrow"]]


# Arguments: the modules to hide, then main.py's arguments.
NOT_INSTALLED = """\
import runpy, sys
from importlib import metadata
found = metadata.distribution
def distribution(name):
    if name == {name!r}:
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.distribution = distribution
sys.modules.update(dict.fromkeys(sys.argv[1].split()))
sys.argv = [{main!r}, *sys.argv[2:]]
runpy.run_path({main!r}, run_name="__main__")
"""
MODULES = {
    "airbyte-cdk": "airbyte_cdk",
    "filelock": "filelock",
    "orjson": "orjson",
    "pendulum": "pendulum",
    "pyrate-limiter": "pyrate_limiter",
    "pyyaml": "yaml",
    "requests": "requests",
    "rich": "rich",
    "tenacity": "tenacity",
}
READ = "read --config config.json --catalog catalog.json"


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs main.py as if the package were not installed."""
    keys = {"api_key": "a-key", "secret_key": "a-secret", "start_date": "2026-01-01T00:00:00Z"}
    (tmp_path / "config.json").write_text(json.dumps(keys))
    (tmp_path / "catalog.json").write_text('{"streams": []}')
    program = NOT_INSTALLED.format(main=str(PROJECT / "main.py"), name=DISTRIBUTION)

    def run_main(arguments: str, *, hidden: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-c", program, " ".join(hidden), *arguments.split())
        environ = os.environ | {"AMPLITUDE_API_URL": "http://127.0.0.1:9"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, cwd=tmp_path)

    return run_main


@pytest.mark.parametrize("arguments", ["--version", "--help", "spec", "spec --help", "read --help"])
def test_help_and_spec_need_no_libraries(
    checkout: Callable[..., subprocess.CompletedProcess[str]], arguments: str
) -> None:
    done = checkout(arguments, hidden=MODULES.values())

    assert (done.returncode, done.stderr) == (0, "")
    assert arguments != "--version" or done.stdout == f"source-amplitude {VERSION}\n"


def test_checkout_reads_without_installation(checkout: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = checkout(READ)

    assert (done.returncode, "Finished syncing" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("missing", [*([each] for each in MODULES), list(MODULES)], ids=" ".join)
def test_checkout_names_missing_libraries_and_install_command(
    checkout: Callable[..., subprocess.CompletedProcess[str]], missing: list[str]
) -> None:
    done = checkout(READ, hidden=[MODULES[each] for each in missing])

    command = shlex.join([sys.executable, "-m", "pip", "install", *(REQUIRED[each] for each in missing)])
    expected = f"source-amplitude: not installed: {', '.join(missing)}. Run {command} and then the command again.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


@pytest.mark.parametrize("command", ["check --config config.json", "land --config config.json --to place", "config"])
def test_commands_check_for_libraries_first(
    checkout: Callable[..., subprocess.CompletedProcess[str]], command: str
) -> None:
    done = checkout(command, hidden=["orjson", "tenacity"])

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("source-amplitude: not installed: orjson, tenacity. Run ")


def test_no_text_installs_the_other_owners_package() -> None:
    found = {str(path.relative_to(PROJECT)): fetched_by_name(path.read_text(encoding="utf-8")) for path in TEXTS}

    assert {"README.md", "docs/landing.md", "source_amplitude/errors.py", "demo.py"} <= set(found)
    assert {path: commands for path, commands in found.items() if commands} == {}


@pytest.mark.parametrize(
    "text",
    [
        "pip install source-amplitude",
        "pip install 'source-amplitude-ledger[land]==1.0.0'",
        "Run pip install 'source-amplitude[land]' and then",
        "python -m pip install --upgrade Source_Amplitude==1.0",
        "pip install\n'source-amplitude[land]'",
        "pip install --index-url https://test.pypi.org/simple \\\n  source-amplitude",
        '["pip", "install", "source-amplitude"]',
        "uv pip install source.amplitude",
        "uv tool install source-amplitude",
        "uvx source-amplitude read",
        "pipx run source-amplitude",
        "poetry add source-amplitude",
        "%pip install 'source-amplitude[spark] @ git+https://example'",
    ],
)
def test_commands_that_fetch_by_name_are_found(text: str) -> None:
    assert len(fetched_by_name(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "pip install '.[land]'",
        "pip install '/path/to/source_amplitude-1.0.0-py3-none-any.whl[land]'",
        "pip install dist/source_amplitude-1.0.0.tar.gz",
        "pip install ./source-amplitude",
        "pip install airbyte-source-amplitude",
        "pip install . && source-amplitude read",
        "env/bin/pip install .\nenv/bin/source-amplitude config",
    ],
)
def test_other_install_commands_are_not_found(text: str) -> None:
    assert fetched_by_name(text) == []
