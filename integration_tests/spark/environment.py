"""The environment `.venv-spark`: the project with PySpark and the test dependencies (1.2 GB), and Java.

Create it with ``python -m integration_tests.spark.environment``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from integration_tests.environments import PROJECT, Environment, make_from_the_command_line

_OLDEST_JAVA = 17
_JAVA_PACKAGE = "openjdk-17-jre-headless"
_INSTALL_SECONDS = 600

ENVIRONMENT = Environment(
    ".venv-spark",
    f"--editable={PROJECT}[dev,spark]",
    ((3, 13), (3, 12), (3, 11), (3, 10)),
    "SPARK_PYTHON",
    made_of=(PROJECT / "pyproject.toml",),
)


def require_java() -> None:
    """Install Java with apt unless the PATH or JAVA_HOME has a version that is new enough.

    Raises:
        RuntimeError: Java is missing or too old, and apt cannot install it.
    """
    if _java_version() >= _OLDEST_JAVA:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise RuntimeError(f"Spark 4 needs Java {_OLDEST_JAVA} or newer; install it or set JAVA_HOME.")
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", _JAVA_PACKAGE]):
        result = subprocess.run(
            ["apt-get", *arguments], capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS
        )
    if _java_version() < _OLDEST_JAVA:
        raise RuntimeError(f"apt-get could not install {_JAVA_PACKAGE}:\n{result.stdout}{result.stderr}")


def _java_version() -> int:
    """Return Java's major version; 0 without Java."""
    home = os.environ.get("JAVA_HOME")
    try:
        result = subprocess.run(
            [f"{home}/bin/java" if home else "java", "-version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', result.stderr)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    try:
        require_java()
    except RuntimeError as reason:
        sys.exit(str(reason))
    make_from_the_command_line(ENVIRONMENT)
