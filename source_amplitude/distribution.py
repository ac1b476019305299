"""This package as installers know it: its name there, its version, and the libraries that it asks for.

Everything that needs one of them asks here, so that the name of the distribution stands in one place.
"""

from __future__ import annotations

import re
import shlex
import sys
from importlib import metadata
from importlib.util import find_spec

DISTRIBUTION = "source-amplitude-ledger"
"""The name in this package's metadata; ``source-amplitude`` on PyPI is another owner's package."""

VERSION = "1.0.0"
"""Of this checkout, for where it is not installed; the same as in pyproject.toml."""

_MODULES = {"airbyte-cdk": "airbyte_cdk", "pyrate-limiter": "pyrate_limiter", "pyyaml": "yaml"}

REQUIRED = {
    "airbyte-cdk": "airbyte-cdk>=7.39,<8",
    "filelock": "filelock>=3.12",
    "orjson": "orjson>=3.10",
    "pendulum": "pendulum>=3.0",
    "pyrate-limiter": "pyrate-limiter>=3.1",
    "pyyaml": "pyyaml>=6.0",
    "requests": "requests>=2.32",
    "rich": "rich>=13.0",
    "tenacity": "tenacity>=9.0",
}
"""Of libraries without which no command works, for where this package is not installed; isal only makes it faster."""

REQUIREMENTS = REQUIRED | {
    "boto3": "boto3>=1.34",
    "obstore": "obstore>=0.11,<0.13",
    "pandas": "pandas>=2.2,<3",
    "pyarrow": "pyarrow>=18.0",
    "pyspark": "pyspark>=4.0,<5",
}
"""With those that are installed on demand; the same as in pyproject.toml."""

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(\[[^\]]*\])?\s*\(?([^;()]*)\)?\s*(?:;.*)?")


def version() -> str:
    """Return the version of what is installed, or of this checkout."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return VERSION


def requirement_of(library: str) -> str:
    """Return what an installer is to be asked for, such as ``obstore>=0.11,<0.13``; the bare name if unknown."""
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        requirements = []
    for each in requirements:
        match = _REQUIREMENT.fullmatch(each.strip())
        if match and match[1].lower() == library:
            return f"{library}{match[2] or ''}{match[3].replace(' ', '')}"
    return REQUIREMENTS.get(library, library)


def missing_libraries() -> list[str]:
    """Return the libraries that every command needs and that are not there: a checkout runs without being installed."""
    return [name for name in REQUIRED if find_spec(_MODULES.get(name, name)) is None]


def install_command(*libraries: str, python: str = "") -> str:
    """Return the shell command that installs libraries beside this package, for this Python or another one."""
    words = [python or sys.executable or "python", "-m", "pip", "install"]
    return shlex.join([*words, *map(requirement_of, libraries)])
