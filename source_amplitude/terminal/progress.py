"""The progress line: hours done and total, events, bytes, and the time left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from rich.console import Console, RenderableType
    from rich.progress import Task

    from source_amplitude.api import RateLimitWaits
    from source_amplitude.export import SyncStats

_REFRESHES_PER_SECOND = 4
_GIGABYTES_FROM_MEGABYTES = 10_000
_MAX_BAR_COLUMNS, _NUMBERS_COLUMNS = 30, 70


class ProgressLine(Progress):
    """A line that is redrawn from fresh statistics, and removed at the end."""

    def __init__(self, console: Console, what: str, stats: Callable[[], SyncStats], stop: threading.Event) -> None:
        self._stats = stats
        self._stop = stop
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=min(_MAX_BAR_COLUMNS, max(4, console.width - _NUMBERS_COLUMNS))),
            _Counts(),
            _TimeLeft(),
            console=console,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,  # data goes there
        )
        self.add_task(what, total=None, stats=stats(), is_stopping=False)

    def start(self) -> None:
        super().start()
        # Rich hides the cursor; a killed or suspended (Ctrl-Z) process could not show it again.
        self.console.show_cursor(show=True)

    def get_renderables(self) -> Iterable[RenderableType]:
        stats = self._stats()
        for task in self.tasks:
            task.total, task.completed = stats.hours_wanted or None, stats.hours_over
            task.fields.update(stats=stats, is_stopping=self._stop.is_set())
        return super().get_renderables()


def _wait_text(waits: RateLimitWaits) -> str:
    end = waits.ends_at
    return f"rate limited{f' until {end:%H:%M:%S} UTC' if end else ''}"


class _Counts(ProgressColumn):
    def render(self, task: Task) -> Text:
        stats: SyncStats = task.fields["stats"]
        if stats.waits.is_waiting and not stats.hours_wanted and not task.fields["is_stopping"]:
            return Text("", no_wrap=True)
        hours = f"{stats.hours_over:,}/{stats.hours_wanted:,} hours" if stats.hours_wanted else "connecting"
        if task.fields["is_stopping"] or stats.waits.is_waiting:
            return Text(hours, no_wrap=True)  # leaves room for the hint on an 80-column terminal
        rate = stats.records / task.elapsed if task.elapsed else 0
        megabytes = stats.content_bytes / 1e6
        size = f"{megabytes:,.0f} MB" if megabytes < _GIGABYTES_FROM_MEGABYTES else f"{megabytes / 1000:,.1f} GB"
        numbers = f"{hours}  {stats.records:,} events  {rate:,.0f}/s  {size}"
        return Text(numbers, no_wrap=True, overflow="ellipsis")


class _TimeLeft(ProgressColumn):
    max_refresh = 1  # second, so that the number is steady

    def render(self, task: Task) -> Text:
        if task.fields["is_stopping"]:
            return Text("stopping... Ctrl-C again to quit now", no_wrap=True)
        stats: SyncStats = task.fields["stats"]
        if stats.waits.is_waiting:
            return Text(_wait_text(stats.waits), no_wrap=True)
        if not stats.hours_over or not task.elapsed:
            return Text("", no_wrap=True)
        seconds = task.elapsed / stats.hours_over * max(0, stats.hours_wanted - stats.hours_over)
        return Text(f"{timedelta(seconds=round(seconds))} left", no_wrap=True)
