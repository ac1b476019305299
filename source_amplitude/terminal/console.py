"""Print progress, results, errors and the next command on a terminal."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from source_amplitude.api import printable, printable_lines
from source_amplitude.export import ProgressListener, SyncStats

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from rich.console import Console

    from source_amplitude.api import RateLimitWaits
    from source_amplitude.export.outlook import Outlook
    from source_amplitude.terminal.command_line import TypedCommand
    from source_amplitude.terminal.progress import ProgressLine

_NO_CURSOR = ("dumb", "unknown")


@dataclass(frozen=True)
class Terminal:
    """Whether stderr and stdout are terminals, and whether progress may be drawn on stderr."""

    stderr_is_terminal: bool
    stdout_is_terminal: bool
    can_draw: bool
    stderr: TextIO

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Terminal:
        """Return the terminal of this process; NO_PROGRESS in ``environ`` turns progress off."""
        stderr_is_terminal = sys.stderr.isatty()
        can_draw = stderr_is_terminal and not environ.get("NO_PROGRESS") and environ.get("TERM", "") not in _NO_CURSOR
        return cls(stderr_is_terminal, sys.stdout.isatty(), can_draw, sys.stderr)

    @property
    def both_are_terminals(self) -> bool:
        """Whether stderr and stdout are both terminals, so that a user sees all output."""
        return self.stderr_is_terminal and self.stdout_is_terminal

    def print(self, text: str, *, is_bad: bool = False) -> None:
        """Print text if stderr is a terminal, in red if ``is_bad`` and the terminal has colours.

        Control characters except line feeds are escaped.
        """
        if self.stderr_is_terminal:
            style = "red" if is_bad else ""
            self.console.print(
                printable_lines(text), style=style, markup=False, highlight=False, emoji=False, soft_wrap=True
            )

    @cached_property
    def console(self) -> Console:
        """The shared console, which prints above a progress line that is being drawn."""
        from rich.console import Console  # noqa: PLC0415 - slow to import

        return Console(file=self.stderr)


@dataclass(frozen=True)
class ReadCommand:
    """A ``read`` command and its output file.

    Attributes:
        typed: The command line.
        has_state_file: Whether the command has the option ``--state-file``.
        output: The file that stdout was redirected to; empty if stdout is not a file or its name is unknown.
        refreshed: Streams with a complete full refresh. Their states must not be reused, or the next read would skip
            them.
    """

    typed: TypedCommand
    has_state_file: bool
    output: str = ""
    refreshed: AbstractSet[str] = frozenset()

    def next(self) -> str:
        """Return the commands that continue after this one, one per line.

        They overwrite nothing: output is appended, and states are written to a new file. If stdout is not a file, the
        text names no file.
        """
        output = printable(shlex.quote(self.output)) if self.output else ""
        if self.has_state_file:
            return f"\n  {self.typed}{f' >> {output}' if output else ''}"
        state_file = unused_name("state", ".json")
        if not output:
            return f" pass the STATE lines of the output with --state. With --state-file {state_file}, read keeps them."
        command = self.typed.without("--state").with_words("--state-file", state_file)
        return f"\n  {self._extract_states(output)} > {state_file}\n  {command} >> {output}"

    def _extract_states(self, output: str) -> str:
        """Return the command that prints the STATE lines of an output; it matches whole lines, not text in records."""
        found = f"""grep -a '^{{"type":"STATE"' {output}"""
        without = "".join(f""" -e '"stream_descriptor":{{"name":"{name}"'""" for name in sorted(self.refreshed))
        return f"{found} | grep -av{without}" if without else found


def unused_name(stem: str, suffix: str) -> str:
    """Return the first of ``state.json``, ``state-2.json``, ... that does not exist in this folder."""
    names = (f"{stem}{'' if number == 1 else f'-{number}'}{suffix}" for number in count(1))
    return next(name for name in names if not Path(name).exists())


class ConsoleReporter(ProgressListener):
    """Draws the progress of a command and prints the result of each stream, if stderr is a terminal.

    Args:
        terminal: The terminal to print on.
        stop: Set once the user asked to stop.
        data_on_stdout: Whether the command prints data on stdout; progress is not drawn if that is a terminal too.
    """

    def __init__(self, terminal: Terminal, stop: threading.Event, *, data_on_stdout: bool = True) -> None:
        self._terminal = terminal
        self._stop = stop
        self._may_draw = terminal.can_draw and not (data_on_stdout and terminal.stdout_is_terminal)
        self._line: ProgressLine | None = None
        self._is_only_a_wait = False
        self._records: dict[str, int] = {}
        self._failed: list[str] = []
        self._summarized: set[str] = set()

    def begin(self, what: str, stats: Callable[[], SyncStats]) -> None:
        self.close()
        if self._may_draw:
            from source_amplitude.terminal.progress import ProgressLine  # noqa: PLC0415 - slow to import

            self._line = ProgressLine(self._terminal.console, what, stats, self._stop)
            self._line.start()

    def end(self, what: str, stats: SyncStats) -> None:
        self.close()
        self._summarized.add(what)
        events, hours = stats.outcome()
        self._terminal.print(f"{what}: {events}\n{' ' * len(what)}  {hours}")

    def close(self) -> None:
        if self._line is not None:
            self._line.stop()
            self._line = None
        self._is_only_a_wait = False

    def begin_wait(self, what: str, waits: RateLimitWaits) -> None:
        """Report a wait for a rate limit; a line that is drawn already shows it."""
        if self._line is None:
            self.begin(what, partial(SyncStats, waits=waits))
            self._is_only_a_wait = True

    def end_wait(self) -> None:
        if self._is_only_a_wait:
            self.close()

    def begin_stream(self, name: str) -> None:
        self._records[name] = 0

    def count(self, name: str) -> None:
        """Count a record of a stream that does not call `begin` and `end` itself."""
        self._records[name] = self._records.get(name, 0) + 1

    def end_stream(self, name: str, *, is_complete: bool) -> None:
        """Print the result of a complete stream; `print_error` reports a failed one."""
        if not is_complete:
            self._failed.append(name)
        elif name not in self._summarized:
            self._terminal.print(f"{printable(name)}: {self._records.get(name, 0):,} records")

    def print_error(self, text: str, name: str = "") -> None:
        """Print why a stream, or the whole command, failed."""
        self.close()
        is_stopped = self._stop.is_set()
        subject = name if name and is_stopped else f"{name} failed" if name else "source-amplitude"
        self._terminal.print(printable(f"{subject}: {text}"), is_bad=not is_stopped)

    def end_check(self, problem: str, found: Outlook | None = None) -> None:
        """Print the result of ``check``, and what will be read; an empty ``problem`` means success."""
        self._terminal.print(printable(problem) or "Amplitude accepts the API keys.", is_bad=bool(problem))
        if found is not None and not problem:
            self._terminal.print(f"{'Warning: ' if found.is_warning else ''}{found.text}", is_bad=found.is_warning)

    def end_read(self, command: ReadCommand, *, has_state: bool) -> None:
        """Print which streams failed and, if a state was printed, how to continue."""
        if self._failed and len(self._records) > 1:
            names = ", ".join(map(printable, self._failed))
            self._terminal.print(f"{len(self._failed)} of {len(self._records)} streams failed: {names}", is_bad=True)
        if not has_state:
            return
        title = "To continue:" if self._failed or self._stop.is_set() else "Next run:"
        self._terminal.print(f"{title}{command.next()}")
