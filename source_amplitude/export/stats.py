"""What a sync of events did: for its summary, for its errors, and for those who watch it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from source_amplitude.config import MalformedLines
from source_amplitude.errors import HoursMissingError, MalformedLinesError, RetryableError, counted
from source_amplitude.export.oddities import Oddities
from source_amplitude.windows import HourSet, hour_window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from source_amplitude.errors import AmplitudeError
    from source_amplitude.ledger import Ledger, ReadHour
    from source_amplitude.records import Findings
    from source_amplitude.windows import HourWindow

_MOST_NAMED = 5
_RECORDED = "All other hours were read and recorded; the state stays before the first of these."


@dataclass(frozen=True)
class LinePosition:
    """Where a line was; never what it held."""

    window: HourWindow
    member: str
    line_number: int

    def __str__(self) -> str:
        return f"{self.window}, member {self.member}, line {self.line_number}"


@dataclass
class SyncStats:
    """What one sync has done so far; may be looked at from any thread.

    Attributes:
        hours_wanted: Hours that are asked for, rechecked ones included; 0 while that is not known yet.
        hours_done: Hours whose every line was emitted in this sync, rechecked ones included.
        hours_without_files: Hours asked for in vain; they are empty or will be published later.
        hours_open: At the end: of these, the ones that may still be published.
        unproven: Of these, the ones whose answer was an archive without a file of its window.
        seconds: At the end: how long it took.
        malformed: The first malformed lines met.
        alike_in_a_row: How many of the latest windows failed with the same kind of error, with no success between.
    """

    hours_wanted: int = 0
    records: int = 0
    hours_done: int = 0
    hours_without_files: int = 0
    hours_open: int = 0
    unverified: HourSet = field(default_factory=HourSet)
    archive_bytes: int = 0
    content_bytes: int = 0
    seconds: float = 0
    failures: list[tuple[HourWindow, AmplitudeError]] = field(default_factory=list)
    malformed: list[LinePosition] = field(default_factory=list)
    malformed_lines: int = 0
    oddities: Oddities = field(default_factory=Oddities)
    alike_in_a_row: int = 0

    @property
    def hours_over(self) -> int:
        """Hours that were dealt with, with or without success."""
        return self.hours_done + self.hours_without_files + self.hours_failed

    @property
    def hours_failed(self) -> int:
        return sum(window.hours for window, _ in self.failures)

    def add_malformed(self, line: LinePosition) -> None:
        """Count a malformed line; only the first few are kept by place."""
        self.malformed_lines += 1
        if len(self.malformed) < _MOST_NAMED:
            self.malformed.append(line)

    def add_findings(self, findings: Findings, window: HourWindow, member: str, lines_before: int = 0) -> None:
        """Count what was odd about some lines of a member, behind ``lines_before`` others."""
        self.oddities.add(findings, lambda position: LinePosition(window, member, lines_before + position + 1))

    def outcome(self) -> tuple[str, str]:
        """Return how the sync went, for a person: events, bytes and seconds; hours of each kind."""
        rate = f" ({self.records / self.seconds:,.0f}/s)" if self.records and self.seconds > 0 else ""
        size = f"{self.content_bytes / 1e6:,.1f} MB of JSON ({self.archive_bytes / 1e6:,.1f} MB downloaded)"
        hours_empty = max(0, self.hours_without_files - self.hours_open)
        counts = {"done": self.hours_done, "empty": hours_empty, "open": self.hours_open, "failed": self.hours_failed}
        hours = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
        return f"{counted(self.records, 'event')}, {size}, {self.seconds:.1f} s{rate}", f"hours: {hours}"

    def summary(self) -> str:
        """Return the outcome with what was malformed or odd, in one line."""
        malformed = [counted(self.malformed_lines, "malformed line")] if self.malformed_lines else []
        return "; ".join((*self.outcome(), *malformed, *self.oddities.summary_parts())) + "."

    def fail(self, window: HourWindow, error: AmplitudeError) -> None:
        alike = self.alike_in_a_row > 0 and type(self.failures[-1][1]) is type(error)
        self.alike_in_a_row = self.alike_in_a_row + 1 if alike else 1
        self.failures.append((window, error))

    def succeed(self) -> None:
        self.alike_in_a_row = 0

    def raise_what_is_left(self, ledger: Ledger, policy: MalformedLines, *, tried: str = _RECORDED) -> None:
        """Raise what makes an export red at its end: windows that failed, or malformed lines by their policy.

        Raises:
            HoursMissingError: Windows failed.
            MalformedLinesError: Lines are no JSON objects, now or, with the policy ``fail``, since an earlier export.
        """
        if failure := self._missing(tried):
            raise failure
        if self.malformed_lines and policy is not MalformedLines.SKIP:
            raise self.malformed_error()
        if policy is MalformedLines.FAIL and (with_malformed_lines := ledger.with_malformed_lines()):
            raise still_malformed_error(with_malformed_lines)

    def stopped_early(self, why: str) -> HoursMissingError:
        """Return the error of a stream that ends before all its windows were tried."""
        error = self._missing(f"It was ended there because {why}; what was read before is recorded.")
        if error is None:
            raise ValueError("a stream cannot be stopped for failures without one")
        return error

    def _missing(self, tried: str) -> HoursMissingError | None:
        if not self.failures:
            return None
        named = " ".join(f"{window}: {_cause(error)}" for window, error in self.failures[:_MOST_NAMED])
        count = "One window" if len(self.failures) == 1 else f"{len(self.failures)} windows"
        more = len(self.failures) - _MOST_NAMED
        error = HoursMissingError(
            f"{count} of the export could not be read. {named}{f' And {more} more.' if more > 0 else ''}",
            tried=tried,
        )
        error.may_recover = all(isinstance(cause, RetryableError) for _, cause in self.failures)
        return error

    def malformed_error(self) -> MalformedLinesError:
        """Return the error that names the malformed lines met in this sync."""
        positions = "; ".join(map(str, self.malformed))
        more = self.malformed_lines - len(self.malformed)
        return _malformed(self.malformed_lines, f"{positions}{f'; and {more:,} more' if more else ''}")


class ProgressListener:
    """Watches an export; this one does nothing."""

    def begin(self, what: str, stats: Callable[[], SyncStats]) -> None:
        """Note that hours are about to be read; ``stats`` may be called at any time, from any thread."""

    def end(self, what: str, stats: SyncStats) -> None:
        """Note how that ended."""

    def close(self) -> None:
        """Note that the command ends, however it went; comes more than once."""


def _cause(error: AmplitudeError) -> str:
    """Return an error without its advice where the error that names it gives the same one."""
    return f"{error.what} {error.tried}".strip() if isinstance(error, RetryableError) else str(error)


def hours_still_flawed(ledger: Ledger, policy: MalformedLines) -> HourSet:
    """Return the hours whose malformed lines must fail every export until Amplitude has mended them."""
    if policy is not MalformedLines.FAIL:
        return HourSet()
    return HourSet.of(hour_window(hour) for hour in ledger.with_malformed_lines())


def still_malformed_error(with_malformed_lines: Mapping[datetime, ReadHour]) -> MalformedLinesError:
    """Return the error for malformed lines that an earlier sync met and Amplitude has not mended."""
    positions = [
        f"{hour_window(hour)}, member {member}, {seen.malformed_lines:,} lines"
        for hour, landed in with_malformed_lines.items()
        for member, seen in landed.members.items()
        if seen.malformed_lines
    ]
    more = f"; and {len(positions) - _MOST_NAMED:,} more members" if len(positions) > _MOST_NAMED else ""
    lines = sum(landed.malformed_lines for landed in with_malformed_lines.values())
    return _malformed(lines, "; ".join(positions[:_MOST_NAMED]) + more)


def _malformed(lines: int, positions: str) -> MalformedLinesError:
    count = "One line is" if lines == 1 else f"{lines:,} lines are"
    return MalformedLinesError(
        f"{count} no JSON object: {positions}.",
        tried="The good lines beside them were emitted once and recorded.",
    )
