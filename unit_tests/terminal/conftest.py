from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _a_terminal_with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of a colour terminal; CI has no terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "NO_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
