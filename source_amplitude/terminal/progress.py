"""Progress of an export on a terminal: hours done of all, events and bytes a second, and how long it will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import Console, RenderableType
    from rich.progress import Task

    from source_amplitude.export import Done

_REFRESHES_A_SECOND = 4


class Progress:
    """An audience that draws a line which changes, and takes it away at the end.

    Args:
        console: On stderr.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: _Lines | None = None

    def begin(self, what: str, total_hours: int, done: Callable[[], Done]) -> None:
        """Draw a line from now on."""
        self.close()
        self._shown = _Lines(self._console, done)
        self._shown.add_task(what, total=total_hours, done=done())
        self._shown.start()

    def end(self, summary: str) -> None:
        """Take the line away and print what became of it."""
        self.close()
        self._console.print(summary, markup=False, highlight=False)

    def close(self) -> None:
        """Take the line away if there is one."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None


class _Lines(RichProgress):
    """Asks how far the export is each time it draws."""

    def __init__(self, console: Console, done: Callable[[], Done]) -> None:
        self._done = done
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _Hours(),
            _Rates(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=_REFRESHES_A_SECOND,
            transient=True,
            expand=True,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return what is drawn now."""
        done = self._done()
        for task in self.tasks:
            task.completed = done.hours
            task.fields["done"] = done
        return super().get_renderables()


class _Hours(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Return the hours done of all."""
        return Text(f"{task.completed:,.0f}/{task.total or 0:,.0f} hours")


class _Rates(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Return events, events a second and megabytes of JSON."""
        done: Done = task.fields["done"]
        rate = done.events / task.elapsed if task.elapsed else 0
        return Text(f"{done.events:,} events, {rate:,.0f}/s, {done.content_bytes / 1e6:,.0f} MB")
