"""Statistics of a sync of events, for its summary, its errors and its progress listener."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from source_amplitude.api import RateLimitWaits
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

_MAX_NAMED = 5
_RECORDED = "All other hours were read and recorded. The state stays before the first failed hour."


@dataclass(frozen=True)
class LinePosition:
    """The position of a line, without its content."""

    window: HourWindow
    member: str
    line_number: int

    def __str__(self) -> str:
        return f"{self.window}, member {self.member}, line {self.line_number}"


@dataclass
class SyncStats:
    """Statistics of one sync so far. Any thread may read them.

    Attributes:
        hours_wanted: Hours to request, including rechecks; 0 before the plan is known.
        hours_done: Hours whose lines were all emitted in this sync, including rechecks.
        hours_without_files: Requested hours without files: they are empty or not published yet.
        hours_open: Hours without files that may still be published; set at the end.
        unverified: Hours without files whose response was an archive without a file of its window.
        seconds: Duration of the sync; set at the end.
        malformed: The first malformed lines.
        alike_in_a_row: Number of consecutive failed windows with the same kind of error.
        waits: The waits for rate limits that are under way.
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
    waits: RateLimitWaits = field(default_factory=RateLimitWaits, compare=False)

    @property
    def hours_over(self) -> int:
        """Hours that were processed, with or without success."""
        return self.hours_done + self.hours_without_files + self.hours_failed

    @property
    def hours_failed(self) -> int:
        return sum(window.hours for window, _ in self.failures)

    def add_malformed(self, line: LinePosition) -> None:
        """Count a malformed line and keep the first few positions."""
        self.malformed_lines += 1
        if len(self.malformed) < _MAX_NAMED:
            self.malformed.append(line)

    def add_findings(self, findings: Findings, window: HourWindow, member: str, lines_before: int = 0) -> None:
        """Add the findings of some lines of a member; ``lines_before`` lines precede them."""
        self.oddities.add(findings, lambda position: LinePosition(window, member, lines_before + position + 1))

    def outcome(self) -> tuple[str, str]:
        """Return the result for the user in two parts: events, bytes and seconds; hours of each kind."""
        rate = f" ({self.records / self.seconds:,.0f}/s)" if self.records and self.seconds > 0 else ""
        size = f"{self.content_bytes / 1e6:,.1f} MB of JSON ({self.archive_bytes / 1e6:,.1f} MB downloaded)"
        hours_empty = max(0, self.hours_without_files - self.hours_open)
        counts = {"done": self.hours_done, "empty": hours_empty, "open": self.hours_open, "failed": self.hours_failed}
        hours = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
        return f"{counted(self.records, 'event')}, {size}, {self.seconds:.1f} s{rate}", f"hours: {hours}"

    def summary(self) -> str:
        """Return one line with the outcome and the counts of malformed and odd lines."""
        malformed = [counted(self.malformed_lines, "malformed line")] if self.malformed_lines else []
        return "; ".join((*self.outcome(), *malformed, *self.oddities.summary_parts())) + "."

    def fail(self, window: HourWindow, error: AmplitudeError) -> None:
        alike = self.alike_in_a_row > 0 and type(self.failures[-1][1]) is type(error)
        self.alike_in_a_row = self.alike_in_a_row + 1 if alike else 1
        self.failures.append((window, error))

    def succeed(self) -> None:
        self.alike_in_a_row = 0

    def raise_what_is_left(self, ledger: Ledger, policy: MalformedLines, *, tried: str = _RECORDED) -> None:
        """Raise the error of an export that ends with failed windows or malformed lines.

        Raises:
            HoursMissingError: Windows failed.
            MalformedLinesError: Lines are not JSON objects, in this export or, with the policy ``fail``, in an earlier
                one.
        """
        if failure := self._missing(tried):
            raise failure
        if self.malformed_lines and policy is not MalformedLines.SKIP:
            raise self.malformed_error()
        if policy is MalformedLines.FAIL and (with_malformed_lines := ledger.with_malformed_lines()):
            raise still_malformed_error(with_malformed_lines)

    def stopped_early(self, why: str) -> HoursMissingError:
        """Return the error of a stream that stops before all its windows were requested."""
        error = self._missing(f"Stopped because {why}. Hours read before are recorded.")
        if error is None:
            raise ValueError("a stream without failures cannot be stopped for failures")
        return error

    def _missing(self, tried: str) -> HoursMissingError | None:
        if not self.failures:
            return None
        named = " ".join(f"{window}: {_cause(error)}" for window, error in self.failures[:_MAX_NAMED])
        count = counted(len(self.failures), "window")
        more = len(self.failures) - _MAX_NAMED
        error = HoursMissingError(
            f"{count} of the export could not be read. {named}{f' And {more} more.' if more > 0 else ''}",
            tried=tried,
        )
        error.may_recover = all(isinstance(cause, RetryableError) for _, cause in self.failures)
        return error

    def malformed_error(self) -> MalformedLinesError:
        """Return the error for the malformed lines of this sync."""
        positions = "; ".join(map(str, self.malformed))
        more = self.malformed_lines - len(self.malformed)
        return _malformed(self.malformed_lines, f"{positions}{f'; and {more:,} more' if more else ''}")


class ProgressListener:
    """Receives the progress of an export. The base class does nothing."""

    def begin(self, what: str, stats: Callable[[], SyncStats]) -> None:
        """Start to report ``what``. ``stats`` may be called at any time, from any thread."""

    def end(self, what: str, stats: SyncStats) -> None:
        """Report the result of ``what``."""

    def close(self) -> None:
        """Report the end of the command, with or without success. May be called more than once."""


def _cause(error: AmplitudeError) -> str:
    """Return the text of an error; without its advice if HoursMissingError gives the same advice."""
    return f"{error.what} {error.tried}".strip() if isinstance(error, RetryableError) else str(error)


def hours_still_flawed(ledger: Ledger, policy: MalformedLines) -> HourSet:
    """Return the hours with malformed lines that fail every export until Amplitude fixes them."""
    if policy is not MalformedLines.FAIL:
        return HourSet()
    return HourSet.of(hour_window(hour) for hour in ledger.with_malformed_lines())


def still_malformed_error(with_malformed_lines: Mapping[datetime, ReadHour]) -> MalformedLinesError:
    """Return the error for malformed lines of earlier syncs that Amplitude has not fixed."""
    positions = [
        f"{hour_window(hour)}, member {member}, {counted(seen.malformed_lines, 'line')}"
        for hour, read_hour in with_malformed_lines.items()
        for member, seen in read_hour.members.items()
        if seen.malformed_lines
    ]
    more = f"; and {counted(len(positions) - _MAX_NAMED, 'more member')}" if len(positions) > _MAX_NAMED else ""
    lines = sum(read_hour.malformed_lines for read_hour in with_malformed_lines.values())
    return _malformed(lines, "; ".join(positions[:_MAX_NAMED]) + more)


def _malformed(lines: int, positions: str) -> MalformedLinesError:
    what = "1 line is not a JSON object" if lines == 1 else f"{lines:,} lines are not JSON objects"
    return MalformedLinesError(f"{what}: {positions}.", tried="All other lines were emitted and recorded.")
