"""Results of a landing: each hour counts its objects, and a run adds up its hours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.export import LinePosition, SyncStats

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.errors import RetryableError
    from source_amplitude.landing.formats import Rendered
    from source_amplitude.landing.manifest import Manifest
    from source_amplitude.windows import HourWindow


@dataclass
class ObjectCounts:
    """Counts of objects by their handling; ``+=`` adds other counts.

    Attributes:
        replaced: Objects that had changed at Amplitude or in the store.
        written_bytes: Size of the written and replaced objects.
        events: Events of all objects, unchanged ones included.
    """

    written: int = 0
    replaced: int = 0
    unchanged: int = 0
    written_bytes: int = 0
    events: int = 0

    def __iadd__(self, other: ObjectCounts) -> ObjectCounts:  # noqa: PYI034 - not meant to be subclassed
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def has_changes(self) -> bool:
        return bool(self.written or self.replaced)


@dataclass
class HourResult:
    """The result of one hour.

    Attributes:
        manifest: The manifest in the store; None if the hour is broken.
        rendered: The objects written by this run, by member; their bodies are closed.
        broken: Why a member cannot be read, or must be requested again.
    """

    window: HourWindow
    manifest: Manifest | None = None
    objects: ObjectCounts = field(default_factory=ObjectCounts)
    rendered: dict[str, Rendered] = field(default_factory=dict)
    broken: RetryableError | None = None

    def __str__(self) -> str:
        done = self.objects
        counts = {"written": done.written, "replaced": done.replaced, "unchanged": done.unchanged}
        objects = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{self.window}: {done.events:,} events, {objects or 'no objects'}."


@dataclass
class Landing:
    """The results of a run so far.

    Attributes:
        tally: Done hours, failures, malformed and odd lines, as of any export.
        objects: Counts of the objects of done hours.
        hours_empty: Hours without files that are settled as empty.
        hours_open: Hours without files that may still be published.
        known_hours: Hours of the span that are done or empty in the store, after the run.
        known_events: The events of these hours.
        changed_days: Days with written or replaced objects.
    """

    tally: SyncStats = field(default_factory=SyncStats)
    objects: ObjectCounts = field(default_factory=ObjectCounts)
    hours_empty: int = 0
    hours_open: int = 0
    known_hours: int = 0
    known_events: int = 0
    changed_days: set[datetime] = field(default_factory=set)

    def add(self, result: HourResult) -> None:
        self.tally.hours_done += result.window.hours
        self.objects += result.objects
        for member, rendered in result.rendered.items():
            for line in rendered.malformed_at:
                self.tally.add_malformed(LinePosition(result.window, member, line))
            self.tally.malformed_lines += rendered.content.malformed_lines - len(rendered.malformed_at)
            if rendered.findings:
                self.tally.add_findings(rendered.findings, result.window, member)
        if result.objects.has_changes:
            self.changed_days.add(result.window.start.replace(hour=0))
        self.tally.succeed()

    @property
    def is_begun(self) -> bool:
        """Whether any hour has a result, good or bad."""
        return bool(self.tally.hours_done or self.hours_empty or self.hours_open or self.tally.failures)

    @property
    def is_up_to_date(self) -> bool:
        """Whether the run had nothing to write, to compare or to report."""
        return not (self.objects.has_changes or self.objects.unchanged or self.tally.failures or self._has_odd_lines)

    @property
    def _has_odd_lines(self) -> bool:
        return bool(self.tally.malformed_lines or self.tally.oddities.summary_parts())

    def stats(self) -> SyncStats:
        """Return the current progress; may be called from another thread."""
        return replace(self.tally, records=self.objects.events, content_bytes=self.objects.written_bytes)

    def as_json(
        self, span: HourWindow, destination: str, seconds: float, *, is_complete: bool = True
    ) -> dict[str, object]:
        """Return the numbers of `summary` for programs."""
        return {
            "destination": destination,
            "start": f"{span.start:%Y-%m-%dT%H}",
            "end": f"{span.end:%Y-%m-%dT%H}",
            "complete": is_complete,
            "up_to_date": is_complete and self.is_up_to_date,
            "objects_written": self.objects.written,
            "objects_replaced": self.objects.replaced,
            "objects_unchanged": self.objects.unchanged,
            "bytes_written": self.objects.written_bytes,
            "hours_done": self.tally.hours_done,
            "events": self.objects.events,
            "hours_empty": self.hours_empty,
            "hours_open": self.hours_open,
            "hours_failed": self.tally.hours_failed,
            "malformed_lines": self.tally.malformed_lines,
            "known_hours": self.known_hours,
            "known_events": self.known_events,
            "seconds": round(seconds, 1),
        }

    def summary(self, span: HourWindow, destination: str, seconds: float, *, is_complete: bool = True) -> str:
        """Return a one-line summary of a run over ``span`` that took ``seconds``; an error ended it if not complete."""
        done = self.objects
        if is_complete and self.is_up_to_date:
            later = f"; {self.hours_open:,} not published yet" if self.hours_open else ""
            return f"Up to date: {counted(self.known_hours, 'hour')}, {counted(self.known_events, 'event')}{later}."
        if done.has_changes:
            kinds = (
                f"{counted(done.written, 'object')} written, {done.replaced:,} replaced, {done.unchanged:,} unchanged"
            )
            parts = [f"{kinds} ({done.written_bytes / 1e6:,.1f} MB)"]
        else:
            parts = [f"nothing new ({counted(done.unchanged, 'object')} compared)"]
        parts.append(f"{counted(self.tally.hours_done, 'hour')} done with {counted(done.events, 'event')}")
        hours = {"empty": self.hours_empty, "open": self.hours_open, "failed": self.tally.hours_failed}
        parts += [f"{counted(count, 'hour')} {what}" for what, count in hours.items() if count]
        if self.tally.malformed_lines:
            parts.append(f"{counted(self.tally.malformed_lines, 'malformed line')} left out")
        parts += self.tally.oddities.summary_parts()
        return f"{destination}, {span}: {'; '.join(parts)}; {seconds:.1f} s."
