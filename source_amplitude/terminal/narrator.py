"""What a person hears of a read: how far it is, what became of each stream, and which command comes next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from source_amplitude.export import Done, Outcome
    from source_amplitude.terminal.person import Person
    from source_amplitude.terminal.typed import TypedCommand


@dataclass(frozen=True)
class ReadCommand:
    """A read, and where it printed to.

    Attributes:
        typed: The command.
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


class Narrator:
    """An audience of a read that says what became of its streams, as they end.

    Args:
        person: Is told; nothing is said or drawn where nobody reads it.
        stop: Set when the read is to end soon.
    """

    def __init__(self, person: Person, stop: threading.Event) -> None:
        self._person = person
        self._stop = stop
        self._progress = person.progress(stop, data_on_stdout=True)
        self._records: dict[str, int] = {}
        self._failed: list[str] = []
        self._is_told: set[str] = set()

    def begin(self, what: str, done: Callable[[], Done]) -> None:
        """See `Audience`."""
        self._progress.begin(what, done)

    def end(self, what: str, outcome: Outcome) -> None:
        """See `Audience`."""
        self._progress.end(what, outcome)
        self._is_told.add(what)
        self._person.say(outcome_lines(what, outcome))

    def close(self) -> None:
        """See `Audience`."""
        self._progress.close()

    def begin_stream(self, name: str) -> None:
        """Hear that a stream is read now."""
        self._records[name] = 0

    def count(self, name: str) -> None:
        """Hear of a record of a stream that has no audience itself."""
        self._records[name] = self._records.get(name, 0) + 1

    def end_stream(self, name: str, *, is_complete: bool) -> None:
        """Hear how a stream ended; why it failed comes later, as a complaint."""
        if not is_complete:
            self._failed.append(name)
        elif name not in self._is_told:
            self._person.say(f"{name}: {self._records.get(name, 0):,} records")

    def complain(self, text: str, name: str = "") -> None:
        """Hear why a stream, or all of the command, failed."""
        self._progress.close()
        is_asked_for = self._stop.is_set()
        who = name if name and is_asked_for else f"{name} failed" if name else "source-amplitude"
        self._person.say(f"{who}: {text}", is_bad=not is_asked_for)

    def end_check(self, complaint: str) -> None:
        """Say how a check ended: with a complaint, or well."""
        self._person.say(complaint or "Amplitude accepts the keys.", is_bad=bool(complaint))

    def end_read(self, command: ReadCommand, *, goes_on: bool) -> None:
        """Say which streams failed, and how to go on.

        Args:
            command: This one.
            goes_on: Whether states were printed that a next read can go on from.
        """
        if self._failed and len(self._records) > 1:
            names = ", ".join(self._failed)
            self._person.say(f"{len(self._failed)} of {len(self._records)} streams failed: {names}", is_bad=True)
        if not goes_on:
            return
        what = "To go on where this ended:" if self._failed or self._stop.is_set() else "Next time, for what is new:"
        self._person.say(f"{what}{command.next()}")


def outcome_lines(what: str, outcome: Outcome) -> str:
    """Return what became of an export, in two lines that a person can read."""
    seconds = outcome.seconds
    rate = f" ({outcome.events / seconds:,.0f}/s)" if outcome.events and seconds > 0 else ""
    size = f"{outcome.content_bytes / 1e6:,.1f} MB of JSON ({outcome.archive_bytes / 1e6:,.1f} MB downloaded)"
    hours = (
        f"hours: {outcome.hours_done:,} done, {outcome.hours_empty:,} empty, {outcome.hours_open:,} open, "
        f"{outcome.hours_failed:,} failed"
    )
    return f"{what}: {outcome.events:,} events, {size}, {seconds:.1f} s{rate}\n{' ' * len(what)}  {hours}"
