"""What a person at a terminal sees of a command: how far it is, what became of it, and which command comes next."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from source_amplitude.export import ProgressListener

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from rich.console import Console

    from source_amplitude.export import SyncStats
    from source_amplitude.terminal.command_line import TypedCommand
    from source_amplitude.terminal.progress import ProgressLine

_NO_CURSOR = ("dumb", "unknown")


@dataclass(frozen=True)
class Terminal:
    """Where a command's output goes: whether stderr and stdout are terminals, and whether progress may be drawn."""

    shows_stderr: bool
    shows_stdout: bool
    can_draw: bool
    stderr: TextIO

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Terminal:
        """Return what holds for this process; NO_PROGRESS in ``environ`` turns progress off."""
        shows_stderr = sys.stderr.isatty()
        can_draw = shows_stderr and not environ.get("NO_PROGRESS") and environ.get("TERM", "") not in _NO_CURSOR
        return cls(shows_stderr, sys.stdout.isatty(), can_draw, sys.stderr)

    @property
    def shows_all_output(self) -> bool:
        """Whether all of the output goes to this person."""
        return self.shows_stderr and self.shows_stdout

    def print(self, text: str, *, is_bad: bool = False) -> None:
        """Print a line if somebody reads it, red where it is bad news and the terminal has colours."""
        if self.shows_stderr:
            # What came over the network must not control the terminal.
            shown = "".join(
                each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text
            )
            style = "red" if is_bad else ""
            self.console.print(shown, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)

    @cached_property
    def console(self) -> Console:
        """One for all that is said: it knows of a line that is being drawn and prints above it."""
        from rich.console import Console  # noqa: PLC0415 - rich takes long to import

        return Console(file=self.stderr)


@dataclass(frozen=True)
class ReadCommand:
    """A read, and where it printed to.

    Attributes:
        keeps_state: Whether it has a ``--state-file``.
        output: The file that stdout is, or empty where that is none or not known.
        refreshed: Streams that were read in full; their states would keep the next read from reading them again.
    """

    typed: TypedCommand
    keeps_state: bool
    output: str = ""
    refreshed: AbstractSet[str] = frozenset()

    def next(self) -> str:
        """Return the commands that go on where this one ended, a line each.

        Nothing that was read is lost by them: output is appended to, and states go into a file that is not there yet.
        """
        output = shlex.quote(self.output) if self.output else "FILE"
        if self.keeps_state:
            return f"\n  {self.typed} >> {output}"
        state_file = unused_name("state", ".json")
        command = self.typed.without("--state").with_words("--state-file", state_file)
        return f"\n  {self._states(output)} > {state_file}\n  {command} >> {output}"

    def _states(self, output: str) -> str:
        """Return the command that prints the states in an output: whole lines, as records may hold such texts too."""
        found = f"""grep -a '^{{"type":"STATE"' {output}"""
        without = "".join(f""" -e '"stream_descriptor":{{"name":"{name}"'""" for name in sorted(self.refreshed))
        return f"{found} | grep -av{without}" if without else found


def unused_name(stem: str, suffix: str) -> str:
    """Return the first of ``state.json``, ``state-2.json`` and so on that is no file of this folder."""
    names = (f"{stem}{'' if number == 1 else f'-{number}'}{suffix}" for number in count(1))
    return next(name for name in names if not Path(name).exists())


class ConsoleReporter(ProgressListener):
    """Draws the progress of a command, and says how a read's streams end; nothing where it is not read by a person.

    Args:
        data_on_stdout: Whether the command prints data: on a terminal it would run into the progress.
    """

    def __init__(self, terminal: Terminal, stop: threading.Event, *, data_on_stdout: bool = True) -> None:
        self._terminal = terminal
        self._stop = stop
        self._may_draw = terminal.can_draw and not (data_on_stdout and terminal.shows_stdout)
        self._line: ProgressLine | None = None
        self._records: dict[str, int] = {}
        self._failed: list[str] = []
        self._is_told: set[str] = set()

    def begin(self, what: str, stats: Callable[[], SyncStats]) -> None:
        self.close()
        if self._may_draw:
            from source_amplitude.terminal.progress import ProgressLine  # noqa: PLC0415 - as above

            self._line = ProgressLine(self._terminal.console, what, stats, self._stop)
            self._line.start()

    def end(self, what: str, stats: SyncStats) -> None:
        self.close()
        self._is_told.add(what)
        events, hours = stats.outcome()
        self._terminal.print(f"{what}: {events}\n{' ' * len(what)}  {hours}")

    def close(self) -> None:
        if self._line is not None:
            self._line.stop()
            self._line = None

    def begin_stream(self, name: str) -> None:
        self._records[name] = 0

    def count(self, name: str) -> None:
        """Count a record of a stream that does not call `begin` and `end` itself."""
        self._records[name] = self._records.get(name, 0) + 1

    def end_stream(self, name: str, *, is_complete: bool) -> None:
        """Say how a stream ended; why it failed comes later, as a complaint."""
        if not is_complete:
            self._failed.append(name)
        elif name not in self._is_told:
            self._terminal.print(f"{name}: {self._records.get(name, 0):,} records")

    def print_error(self, text: str, name: str = "") -> None:
        """Say why a stream, or all of the command, failed."""
        self.close()
        is_asked_for = self._stop.is_set()
        who = name if name and is_asked_for else f"{name} failed" if name else "source-amplitude"
        self._terminal.print(f"{who}: {text}", is_bad=not is_asked_for)

    def end_check(self, problem: str) -> None:
        """Say how a check ended: with a complaint, or well."""
        self._terminal.print(problem or "Amplitude accepts the keys.", is_bad=bool(problem))

    def end_read(self, command: ReadCommand, *, goes_on: bool) -> None:
        """Say which streams failed; and how to go on, if states were printed that a next read ``goes_on`` from."""
        if self._failed and len(self._records) > 1:
            names = ", ".join(self._failed)
            self._terminal.print(f"{len(self._failed)} of {len(self._records)} streams failed: {names}", is_bad=True)
        if not goes_on:
            return
        what = "To go on where this ended:" if self._failed or self._stop.is_set() else "Next time, for what is new:"
        self._terminal.print(f"{what}{command.next()}")
