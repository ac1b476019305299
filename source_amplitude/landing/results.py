"""What a landing did: each hour counts its own objects, and a run adds the hours up."""

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
    """What was done about objects; ``+=`` adds another count.

    Attributes:
        replaced: Objects whose bytes had changed at Amplitude, or in the store.
        written_bytes: Size of the written and the replaced ones.
        events: Of all of them, unchanged ones too.
    """

    written: int = 0
    replaced: int = 0
    unchanged: int = 0
    written_bytes: int = 0
    events: int = 0

    def __iadd__(self, other: ObjectCounts) -> ObjectCounts:  # noqa: PYI034 - not made to be subclassed
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def has_changes(self) -> bool:
        return bool(self.written or self.replaced)


@dataclass
class HourResult:
    """How one hour ended.

    Attributes:
        manifest: What is in the store now; None where the hour is broken.
        rendered: What was written now, by its member; the bodies are closed.
        broken: Why a member could not be read, or must be read again.
    """

    window: HourWindow
    manifest: Manifest | None = None
    objects: ObjectCounts = field(default_factory=ObjectCounts)
    rendered: dict[str, Rendered] = field(default_factory=dict)
    broken: RetryableError | None = None

    def __str__(self) -> str:
        did = self.objects
        counts = {"written": did.written, "replaced": did.replaced, "unchanged": did.unchanged}
        objects = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{self.window}: {did.events:,} events, {objects or 'no object'}."


@dataclass
class Landing:
    """What a run did so far.

    Attributes:
        tally: Hours that are done, failures, malformed lines and what was odd, as for any export.
        objects: What was done about the objects of the hours that are done.
        hours_empty: Hours that Amplitude has no files for, for good.
        hours_open: Hours that it has none for yet.
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
        """Whether anything came of the run, good or bad."""
        return bool(self.tally.hours_done or self.hours_empty or self.hours_open or self.tally.failures)

    def stats(self) -> SyncStats:
        """Return how far the run is; may be called from another thread."""
        return replace(self.tally, records=self.objects.events, content_bytes=self.objects.written_bytes)

    def summary(self, span: HourWindow, place: str, seconds: float) -> str:
        """Return one line on a run that was to land ``span`` in ``place``, and took so many seconds."""
        did = self.objects
        if did.has_changes:
            kinds = f"{counted(did.written, 'object')} written, {did.replaced:,} replaced, {did.unchanged:,} unchanged"
            parts = [f"{kinds} ({did.written_bytes / 1e6:,.1f} MB)"]
        else:
            parts = [f"nothing new ({counted(did.unchanged, 'object')} compared)"]
        parts.append(f"{counted(self.tally.hours_done, 'hour')} done with {counted(did.events, 'event')}")
        hours = {"empty": self.hours_empty, "open": self.hours_open, "failed": self.tally.hours_failed}
        parts += [f"{counted(count, 'hour')} {what}" for what, count in hours.items() if count]
        if self.tally.malformed_lines:
            parts.append(f"{counted(self.tally.malformed_lines, 'malformed line')} left out")
        parts += self.tally.oddities.summary_parts()
        return f"{place}, {span}: {'; '.join(parts)}; {seconds:.1f} s."
