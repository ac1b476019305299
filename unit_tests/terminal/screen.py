"""A terminal in memory, and a person in front of it."""

from __future__ import annotations

import io

from source_amplitude.terminal.console import Person


class Screen(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def person(*, reads_stderr: bool = True, reads_stdout: bool = False, may_draw: bool = False) -> Person:
    return Person(reads_stderr, reads_stdout, may_draw, Screen())


def said_to(listener: Person) -> list[str]:
    """Return the lines that a person was told."""
    assert isinstance(listener.stderr, Screen)
    return listener.stderr.getvalue().splitlines()
