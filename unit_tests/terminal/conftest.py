from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _a_terminal_with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold for these tests whatever terminal they are started from; CI has none that could draw."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "NO_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
