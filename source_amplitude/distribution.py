"""The distribution's name, version and required libraries, defined once for the whole package."""

from __future__ import annotations

import re
import shlex
import sys
from importlib import metadata
from importlib.util import find_spec

DISTRIBUTION = "source-amplitude-ledger"
"""The name in this package's metadata. ``source-amplitude`` on PyPI belongs to another owner."""

VERSION = "1.0.0"
"""The version of this checkout, used when the package is not installed. Must equal pyproject.toml."""

_MODULES = {"airbyte-cdk": "airbyte_cdk", "pyrate-limiter": "pyrate_limiter", "pyyaml": "yaml"}

REQUIRED = {
    "airbyte-cdk": "airbyte-cdk>=7.39,<8",
    "filelock": "filelock>=3.20.1",
    "orjson": "orjson>=3.10",
    "pendulum": "pendulum>=3.0",
    "pyrate-limiter": "pyrate-limiter>=3.1",
    "pyyaml": "pyyaml>=6.0",
    "requests": "requests>=2.32",
    "rich": "rich>=13.0",
    "tenacity": "tenacity>=9.0",
}
"""Libraries that every command needs, used when the package is not installed. isal and msgspec only add speed."""

_ONLY_READ = "airbyte-cdk"
"""Needed by read only. requirements-land.txt lists the others."""

REQUIREMENTS = REQUIRED | {
    "boto3": "boto3>=1.34",
    "duckdb": "duckdb>=1.2",
    "obstore": "obstore>=0.11,<0.13",
    "pandas": "pandas>=2.2,<3",
    "pyarrow": "pyarrow>=18.0",
    "pyspark": "pyspark>=4.0,<5",
}
"""All libraries, including the optional extras. Must equal pyproject.toml."""

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(\[[^\]]*\])?\s*\(?([^;()]*)\)?\s*(?:;.*)?")


def version() -> str:
    """Return the installed version, or the version of this checkout."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return VERSION


def requirement_of(library: str) -> str:
    """Return the requirement for ``library``, such as ``obstore>=0.11,<0.13``; the bare name if it is unknown."""
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        requirements = []
    for each in requirements:
        match = _REQUIREMENT.fullmatch(each.strip())
        if match and match[1].lower() == library:
            return f"{library}{match[2] or ''}{match[3].replace(' ', '')}"
    return REQUIREMENTS.get(library, library)


def missing_libraries(*, needs_cdk: bool) -> list[str]:
    """Return the required libraries that are not installed; a checkout can run without an installation.

    Args:
        needs_cdk: Whether the command is ``read``, which needs the CDK.
    """
    wanted = [name for name in REQUIRED if needs_cdk or name != _ONLY_READ]
    return [name for name in wanted if not _is_installed(_MODULES.get(name, name))]


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a finder refuses it, or sys.modules has None in its place
        return False


def install_command(*libraries: str, python: str = "") -> str:
    """Return the shell command that installs ``libraries`` for ``python``, or for the running Python."""
    words = [python or sys.executable or "python", "-m", "pip", "install"]
    return shlex.join([*words, *map(requirement_of, libraries)])
