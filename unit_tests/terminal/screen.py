"""A terminal in memory, and a person in front of it."""

from __future__ import annotations

import io

from source_amplitude.terminal.console import Terminal


class Screen(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def terminal(*, stderr_is_terminal: bool = True, stdout_is_terminal: bool = False, can_draw: bool = False) -> Terminal:
    return Terminal(stderr_is_terminal, stdout_is_terminal, can_draw, Screen())


def said_to(listener: Terminal) -> list[str]:
    """Return the lines that a person was told."""
    assert isinstance(listener.stderr, Screen)
    return listener.stderr.getvalue().splitlines()
