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
        changed_days: Days with written or replaced objects.
    """

    tally: SyncStats = field(default_factory=SyncStats)
    objects: ObjectCounts = field(default_factory=ObjectCounts)
    hours_empty: int = 0
    hours_open: int = 0
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

    def stats(self) -> SyncStats:
        """Return the current progress; may be called from another thread."""
        return replace(self.tally, records=self.objects.events, content_bytes=self.objects.written_bytes)

    def summary(self, span: HourWindow, destination: str, seconds: float) -> str:
        """Return a one-line summary of a run over ``span`` that took ``seconds``."""
        done = self.objects
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
