"""What a sync of events did, for its summary and its errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from source_amplitude.config import MalformedLines
from source_amplitude.errors import HoursMissingError, MalformedLinesError, RetryableError
from source_amplitude.export.audience import Done, Outcome
from source_amplitude.export.oddities import Oddities
from source_amplitude.windows import HourSet, hour_window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from source_amplitude.errors import AmplitudeError
    from source_amplitude.ledger import LandedHour, Ledger
    from source_amplitude.records import Findings
    from source_amplitude.windows import HourWindow

_MOST_NAMED = 5
_RECORDED = "All other hours were read and recorded; the state stays before the first of these."


@dataclass(frozen=True)
class LinePlace:
    """Where a line was; never what it held."""

    window: HourWindow
    member: str
    line_number: int

    def __str__(self) -> str:
        return f"{self.window}, member {self.member}, line {self.line_number}"


@dataclass
class Tally:
    """Counts of one sync.

    Attributes:
        hours_wanted: Hours that are asked for, rechecked ones included.
        records: Emitted records.
        hours_done: Hours whose every line was emitted in this sync, rechecked ones included.
        hours_without_files: Hours asked for in vain; they are empty or will be published later.
        unproven: Of these, the ones whose answer was an archive without a file of its window.
        archive_bytes: Bytes of archives downloaded.
        content_bytes: Unpacked bytes emitted.
        failures: Windows that could not be read, with their errors.
        malformed: The first malformed lines met.
        malformed_lines: How many malformed lines were met.
        oddities: What was odd about the lines that were emitted.
    """

    hours_wanted: int = 0
    records: int = 0
    hours_done: int = 0
    hours_without_files: int = 0
    unproven: HourSet = field(default_factory=HourSet)
    archive_bytes: int = 0
    content_bytes: int = 0
    failures: list[tuple[HourWindow, AmplitudeError]] = field(default_factory=list)
    malformed: list[LinePlace] = field(default_factory=list)
    malformed_lines: int = 0
    oddities: Oddities = field(default_factory=Oddities)
    _alike: int = 0

    def done(self) -> Done:
        """Return how far the sync is; may be asked by another thread."""
        hours = self.hours_done + self.hours_without_files + self.hours_failed
        return Done(hours, self.hours_wanted, self.records, self.content_bytes)

    def outcome(self, *, hours_open: int, seconds: float) -> Outcome:
        """Return what became of the sync; the arguments are those of `summary`."""
        return Outcome(
            events=self.records,
            hours_done=self.hours_done,
            hours_empty=max(0, self.hours_without_files - hours_open),
            hours_open=hours_open,
            hours_failed=self.hours_failed,
            archive_bytes=self.archive_bytes,
            content_bytes=self.content_bytes,
            seconds=seconds,
        )

    @property
    def hours_failed(self) -> int:
        """Hours that could not be read."""
        return sum(window.hours for window, _ in self.failures)

    def add_malformed(self, line: LinePlace) -> None:
        """Count a malformed line; only the first few are kept by place."""
        self.malformed_lines += 1
        if len(self.malformed) < _MOST_NAMED:
            self.malformed.append(line)

    def add_findings(self, findings: Findings, window: HourWindow, member: str, lines_before: int = 0) -> None:
        """Count what was odd about some lines of a member, behind ``lines_before`` others."""
        self.oddities.add(findings, lambda position: LinePlace(window, member, lines_before + position + 1))

    def summary(self, *, hours_open: int, seconds: float) -> str:
        """Return one line that a person can read.

        Args:
            hours_open: Of the hours without files, those that may still be published.
            seconds: How long the sync took.
        """
        rate = f" ({self.records / seconds:,.0f} a second)" if self.records and seconds > 0 else ""
        parts = [
            f"{self.records:,} records of {self.hours_done:,} hours in {seconds:.1f} s{rate}",
            f"{self.archive_bytes / 1e6:,.1f} MB of archives with {self.content_bytes / 1e6:,.1f} MB of JSON",
        ]
        if self.hours_without_files:
            parts.append(f"{self.hours_without_files:,} hours without files, {hours_open:,} of them still open")
        if self.failures:
            parts.append(f"{self.hours_failed:,} hours failed")
        if self.malformed_lines:
            parts.append(f"{self.malformed_lines:,} malformed lines")
        parts += self.oddities.summary_parts()
        return "; ".join(parts) + "."

    def alike_in_a_row(self) -> int:
        """Return how many of the latest windows failed with the same kind of error, with no success between."""
        return self._alike

    def fail(self, window: HourWindow, error: AmplitudeError) -> None:
        """Note that a window could not be read."""
        alike = self._alike > 0 and type(self.failures[-1][1]) is type(error)
        self._alike = self._alike + 1 if alike else 1
        self.failures.append((window, error))

    def succeed(self) -> None:
        """Note that a window was read."""
        self._alike = 0

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
        if policy is MalformedLines.FAIL and (flawed := ledger.flawed()):
            raise still_malformed_error(flawed)

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
        error.may_heal = all(isinstance(cause, RetryableError) for _, cause in self.failures)
        return error

    def malformed_error(self) -> MalformedLinesError:
        """Return the error that names the malformed lines met in this sync."""
        places = "; ".join(map(str, self.malformed))
        more = self.malformed_lines - len(self.malformed)
        return _malformed(self.malformed_lines, f"{places}{f'; and {more:,} more' if more else ''}")


def _cause(error: AmplitudeError) -> str:
    """Return an error without its advice where the error that names it gives the same one."""
    return f"{error.what} {error.tried}".strip() if isinstance(error, RetryableError) else str(error)


def hours_still_flawed(ledger: Ledger, policy: MalformedLines) -> HourSet:
    """Return the hours whose malformed lines must fail every export until Amplitude has mended them."""
    if policy is not MalformedLines.FAIL:
        return HourSet()
    return HourSet.of(hour_window(hour) for hour in ledger.flawed())


def still_malformed_error(flawed: Mapping[datetime, LandedHour]) -> MalformedLinesError:
    """Return the error for malformed lines that an earlier sync met and Amplitude has not mended."""
    places = [
        f"{hour_window(hour)}, member {member}, {seen.malformed_lines:,} lines"
        for hour, landed in flawed.items()
        for member, seen in landed.members.items()
        if seen.malformed_lines
    ]
    more = f"; and {len(places) - _MOST_NAMED:,} more members" if len(places) > _MOST_NAMED else ""
    lines = sum(landed.malformed_lines for landed in flawed.values())
    return _malformed(lines, "; ".join(places[:_MOST_NAMED]) + more)


def _malformed(lines: int, places: str) -> MalformedLinesError:
    count = "One line is" if lines == 1 else f"{lines:,} lines are"
    return MalformedLinesError(
        f"{count} no JSON object: {places}.",
        tried="The good lines beside them were emitted once and recorded.",
    )
