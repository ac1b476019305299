"""A terminal in memory, and a person in front of it."""

from __future__ import annotations

import io

from source_amplitude.terminal.console import Terminal


class Screen(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def terminal(*, shows_stderr: bool = True, shows_stdout: bool = False, can_draw: bool = False) -> Terminal:
    return Terminal(shows_stderr, shows_stdout, can_draw, Screen())


def said_to(listener: Terminal) -> list[str]:
    """Return the lines that a person was told."""
    assert isinstance(listener.stderr, Screen)
    return listener.stderr.getvalue().splitlines()
