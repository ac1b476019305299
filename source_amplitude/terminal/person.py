"""Whether somebody watches a command, and how they are told something."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from source_amplitude.export import Nobody

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from rich.console import Console

    from source_amplitude.export import Audience

_NO_CURSOR = ("dumb", "unknown")


@dataclass(frozen=True)
class Person:
    """Where a command's output goes.

    Attributes:
        reads_stderr: Whether stderr is a terminal.
        reads_stdout: Whether stdout is one.
        may_draw: Whether a line may be drawn on stderr that changes.
        stderr: Where to speak to them.
    """

    reads_stderr: bool
    reads_stdout: bool
    may_draw: bool
    stderr: TextIO

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Person:
        """Return what holds for this process; NO_PROGRESS in ``environ`` turns progress off."""
        reads_stderr = sys.stderr.isatty()
        may_draw = reads_stderr and not environ.get("NO_PROGRESS") and environ.get("TERM", "") not in _NO_CURSOR
        return cls(reads_stderr, sys.stdout.isatty(), may_draw, sys.stderr)

    @property
    def is_alone(self) -> bool:
        """Whether nobody but this person gets any of the output."""
        return self.reads_stderr and self.reads_stdout

    def progress(self, stop: threading.Event, *, data_on_stdout: bool = False) -> Audience:
        """Return what draws the progress of a command, or nobody.

        Args:
            stop: Set when the command is to end soon.
            data_on_stdout: Whether the command prints data: on a terminal it would run into the progress.
        """
        if not self.may_draw or (data_on_stdout and self.reads_stdout):
            return Nobody()
        from source_amplitude.terminal.progress import Progress  # noqa: PLC0415 - rich takes long to import

        return Progress(self._console, stop)

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Print a line if somebody reads it, red where it is bad news and the terminal has colours."""
        if self.reads_stderr:
            # What came over the network must not control the terminal.
            shown = "".join(
                each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text
            )
            style = "red" if is_bad else ""
            self._console.print(shown, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)

    @cached_property
    def _console(self) -> Console:
        """One for all that is said: it knows of a line that is being drawn and prints above it."""
        from rich.console import Console  # noqa: PLC0415 - as above

        return Console(file=self.stderr)
