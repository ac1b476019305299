"""A terminal in memory."""

from __future__ import annotations

import io

from source_amplitude.terminal.console import Terminal


class Screen(io.StringIO):
    """A text stream that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def terminal(*, stderr_is_terminal: bool = True, stdout_is_terminal: bool = False, can_draw: bool = False) -> Terminal:
    return Terminal(stderr_is_terminal, stdout_is_terminal, can_draw, Screen())


def printed_lines(on: Terminal) -> list[str]:
    """Return the lines printed on a terminal."""
    assert isinstance(on.stderr, Screen)
    return on.stderr.getvalue().splitlines()
