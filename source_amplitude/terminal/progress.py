"""Progress on a terminal: hours done of all, events, bytes, and how long the rest will take."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.progress import BarColumn, ProgressColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from rich.console import Console, RenderableType
    from rich.progress import Task

    from source_amplitude.export import Done, Outcome

_REFRESHES_A_SECOND = 4
_GIGABYTES_FROM = 10_000  # megabytes
_WIDEST_BAR, _COLUMNS_OF_NUMBERS = 30, 70


class Progress:
    """An audience that draws a line which changes, and takes it away at the end.

    Args:
        console: On stderr.
        stop: Set when the command is to end soon.
    """

    def __init__(self, console: Console, stop: threading.Event) -> None:
        self._console = console
        self._stop = stop
        self._shown: _Line | None = None

    def begin(self, what: str, done: Callable[[], Done]) -> None:
        """Draw a line from now on."""
        self.close()
        self._shown = _Line(self._console, what, done, self._stop)
        self._shown.start()
        # Rich hides the cursor, and a process that is killed or put aside (Ctrl-Z) could not show it again.
        self._console.show_cursor(show=True)

    def end(self, what: str, outcome: Outcome) -> None:  # noqa: ARG002 - others say it
        """Take the line away."""
        self.close()

    def close(self) -> None:
        """Take the line away if there is one."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None


class _Line(RichProgress):
    """Asks how far the work is each time it draws."""

    def __init__(self, console: Console, what: str, done: Callable[[], Done], stop: threading.Event) -> None:
        self._done = done
        self._stop = stop
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=min(_WIDEST_BAR, max(4, console.width - _COLUMNS_OF_NUMBERS))),
            _Counts(),
            _Rest(),
            console=console,
            refresh_per_second=_REFRESHES_A_SECOND,
            transient=True,
            redirect_stdout=False,  # data goes there
        )
        self.add_task(what, total=None, done=done(), is_ending=False)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return what is drawn now."""
        done = self._done()
        for task in self.tasks:
            task.total, task.completed = done.of_hours or None, done.hours
            task.fields.update(done=done, is_ending=self._stop.is_set())
        return super().get_renderables()


class _Counts(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Return hours done of all, events, events a second and megabytes of JSON."""
        done: Done = task.fields["done"]
        rate = done.events / task.elapsed if task.elapsed else 0
        hours = f"{done.hours:,}/{done.of_hours:,} hours" if done.of_hours else "asking"
        megabytes = done.content_bytes / 1e6
        size = f"{megabytes:,.0f} MB" if megabytes < _GIGABYTES_FROM else f"{megabytes / 1000:,.1f} GB"
        numbers = f"{hours}  {done.events:,} events  {rate:,.0f}/s  {size}"
        return Text(numbers, no_wrap=True, overflow="ellipsis")


class _Rest(ProgressColumn):
    max_refresh = 1  # second; it need not tremble

    def render(self, task: Task) -> Text:
        """Return how long the rest will take if it goes on as before."""
        if task.fields["is_ending"]:
            return Text("ending; Ctrl-C again: at once", no_wrap=True)
        done: Done = task.fields["done"]
        if not done.hours or not task.elapsed:
            return Text("", no_wrap=True)
        seconds = task.elapsed / done.hours * max(0, done.of_hours - done.hours)
        return Text(f"{timedelta(seconds=round(seconds))} left", no_wrap=True)
