"""Run ``airbyte-cdk connector test``, as Airbyte's developers do, against the emulator.

The command needs a folder with the connector's name and resolves links, so it gets a copy. Cases that need a Docker
engine or a real account are excluded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from integration_tests.standard_events import serve_standard_events

PROJECT = Path(__file__).parents[1]
WANTED = "not image_tests and not requires_creds"


def main() -> int:
    """Run the command and return its exit code."""
    program = str(Path(sys.executable).with_name("airbyte-cdk"))
    with tempfile.TemporaryDirectory() as folder, serve_standard_events() as emulator:
        copy = Path(folder) / "source-amplitude"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "dist"))
        return subprocess.run(
            [program, "connector", "test", str(copy), "--pytest-arg=-m", f"--pytest-arg={WANTED}"],
            cwd=copy,
            env={**os.environ, "AMPLITUDE_API_URL": emulator.url},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
