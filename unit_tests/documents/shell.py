"""Runs the shell commands of a page against the emulator."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from unit_tests.documents.blocks import blocks, section

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator

SET_UP = ("python3 -m venv", "export ", "env/bin/pip")
EVENTS, HOURS = 300, 6


def commands(page: str, title: str) -> str:
    """Return the commands of a section's first shell block, without those that install."""
    text = blocks(section(page, title), "sh")[0].text
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(SET_UP))


def shell(script: str, folder: Path, emulator: Emulator) -> str:
    """Run a script, check that it succeeds, and return its output."""
    keys = {"AMPLITUDE_API_KEY": emulator.project.api_key, "AMPLITUDE_SECRET_KEY": emulator.project.secret_key}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **keys, "AMPLITUDE_API_URL": emulator.url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
