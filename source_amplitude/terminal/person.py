"""Whether somebody watches a command, and what they are told."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from source_amplitude.export import Nobody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from source_amplitude.export import Audience


@dataclass(frozen=True)
class Person:
    """Where a command's output goes.

    Attributes:
        reads_stderr: Whether stderr is a terminal.
        reads_stdout: Whether stdout is one too: then nobody but this person takes the command's data.
        wants_progress: Whether a line may be drawn on stderr that changes.
        stderr: Where to speak to them.
    """

    reads_stderr: bool
    reads_stdout: bool
    wants_progress: bool
    stderr: TextIO

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Person:
        """Return what holds for this process; NO_PROGRESS in ``environ`` turns progress off."""
        reads_stderr = sys.stderr.isatty()
        wants_progress = reads_stderr and not environ.get("NO_PROGRESS") and environ.get("TERM") != "dumb"
        return cls(reads_stderr, sys.stdout.isatty(), wants_progress, sys.stderr)

    def audience_of_data(self) -> Audience:
        """Return who watches a command whose data goes to stdout: progress would run into data on a terminal."""
        return Nobody() if self.reads_stdout else self.audience()

    def audience(self) -> Audience:
        """Return who watches a command that prints no data."""
        if not self.wants_progress:
            return Nobody()
        from source_amplitude.terminal.progress import Progress  # noqa: PLC0415 - rich takes long to import

        return Progress(self._console())

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Print a line on stderr, red where it is bad news and the terminal has colours."""
        self._console().print(text, style="red" if is_bad else "", markup=False, highlight=False, soft_wrap=True)

    def _console(self) -> Console:
        from rich.console import Console  # noqa: PLC0415 - as above

        return Console(file=self.stderr)
