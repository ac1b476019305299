"""Which hours are settled, open, or worth another look.

An hour is in one of these conditions:

* *settled*: done (every line of its members was emitted), or empty for good. Never asked for again, but for
  the rechecks of late files.
* *open*: asked for, and Amplitude had nothing. It may be empty, or published late; a 404 does not say which.
* neither: never asked for, or asked for in vain.

A read hour's members are remembered as long as it will be read again, so that nothing of it is emitted twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING

from source_amplitude.errors import OtherProjectError
from source_amplitude.members import MemberFingerprints
from source_amplitude.windows import DAY, HOUR, HourSet, HourWindow, floor_hour, hour_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.members import Fingerprint

END_OF_TIME = datetime(9999, 1, 1, tzinfo=timezone.utc)

_NO_HOURS = HourSet()


def reached_age(window: HourWindow, ages_hours: tuple[int, ...], *, since: datetime, until: datetime) -> bool:
    """Return whether ``window`` reached one of these ages, in hours after its end, after ``since`` and by ``until``."""
    return any(since < window.end + HOUR * age <= until for age in ages_hours)


def conclusive_at(hour: datetime, export_delay_hours: int) -> datetime:
    """Return when finding nothing for ``hour`` begins to mean that it is empty, if a later hour has members."""
    return hour + DAY + HOUR * export_delay_hours


def conclusive_until(now: datetime, export_delay_hours: int) -> datetime:
    """Return the end of the newest hour that is ripe at ``now``; see `ripe_at`."""
    return floor_hour(now) - DAY - HOUR * (export_delay_hours - 1)


@dataclass(frozen=True)
class ReadHour:
    """What is remembered of an hour that had members.

    Attributes:
        read_at: When the request was sent whose answer was read last, aware UTC.
        members: Full member name to what was emitted of it.
    """

    read_at: datetime
    members: Mapping[str, Fingerprint]

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", MemberFingerprints.of(self.members))

    @property
    def malformed_lines(self) -> int:
        """How many lines of the hour could not be emitted."""
        return MemberFingerprints.of(self.members).malformed_lines


class Ledger:
    """The state of the events stream; changed only through its methods."""

    def __init__(
        self,
        settled: HourSet = _NO_HOURS,
        open: HourSet = _NO_HOURS,  # noqa: A002 - what the state calls it
        read_hours: Mapping[datetime, ReadHour] | None = None,
        project: str | None = None,
        newest_with_data: datetime | None = None,
        working_hours: tuple[int, int] | None = None,
    ) -> None:
        self._settled, self._open, self._conclusive = settled, open, _NO_HOURS
        self._read_hours = dict(read_hours or {})
        self._project = project
        self._newest_with_data = newest_with_data
        self._working_hours = working_hours

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    @property
    def settled(self) -> HourSet:
        """Hours that are done or empty for good."""
        return self._settled

    @property
    def open(self) -> HourSet:
        """Hours asked for without an answer that had members, and not settled."""
        return self._open

    @property
    def read_hours(self) -> Mapping[datetime, ReadHour]:
        """Start of an hour (or day of files) to what is remembered of it; settled or half read."""
        return MappingProxyType(self._read_hours)

    @property
    def project(self) -> str | None:
        """The project that the archives belong to; None before the first archive."""
        return self._project

    @property
    def newest_with_data(self) -> datetime | None:
        """The newest hour that ever had members."""
        return self._newest_with_data

    @property
    def working_hours(self) -> tuple[int, int] | None:
        """``(request_time_range, hours)`` when that range proved too large and ``hours`` worked."""
        return self._working_hours

    def missing(self, span: HourWindow, accepted_gaps: HourSet) -> HourSet:
        """Return the hours of ``span`` that are neither settled nor accepted as gaps."""
        return HourSet((span,)) - self._settled - accepted_gaps

    def rechecks_due(self, span: HourWindow, ages_hours: tuple[int, ...], now: datetime) -> HourSet:
        """Return the done hours of ``span`` that reached one of ``ages_hours`` since they were last read."""
        due = [
            hour_window(hour)
            for hour, read in self._read_hours.items()
            if hour in self._settled and hour in span
            if reached_age(hour_window(hour), ages_hours, since=read.read_at, until=now)
        ]
        return HourSet.of(due)

    def known(self, member: str) -> Fingerprint | None:
        """Return what was emitted of a member, or None when nothing of it is remembered."""
        for read in self._read_hours.values():
            seen = read.members.get(member)
            if seen is not None:
                return seen
        return None

    def with_malformed_lines(self) -> dict[datetime, ReadHour]:
        """Return the remembered hours that had malformed lines."""
        return {hour: read for hour, read in sorted(self._read_hours.items()) if read.malformed_lines}

    def mark_done(self, hour: datetime, members: Mapping[str, Fingerprint], *, asked_at: datetime) -> None:
        """Record that every line of the hour's ``members`` was emitted or counted as malformed.

        Members remembered from before that Amplitude no longer has stay remembered: they may come back.
        """
        window = hour_window(hour)
        self._remember(window.start, members, read_at=asked_at)
        self.settle(HourSet((window,)))
        self.note_later_data(window.start)

    def mark_partial(self, hour: datetime, members: Mapping[str, Fingerprint], *, asked_at: datetime) -> None:
        """Remember what was emitted of an hour, without calling it done; a recheck that failed stays due."""
        start = hour_window(hour).start
        is_recheck = start in self._read_hours and hour in self._settled
        self._remember(start, members, read_at=self._read_hours[start].read_at if is_recheck else asked_at)

    def _remember(self, start: datetime, members: Mapping[str, Fingerprint], *, read_at: datetime) -> None:
        before = self._read_hours[start].members if start in self._read_hours else {}
        self._read_hours[start] = ReadHour(read_at, MemberFingerprints.of(before).merged_with(members))

    def mark_empty_response(self, hours: HourSet, *, asked_at: datetime, export_delay_hours: int) -> None:
        """Record that an answer had no members for ``hours``.

        Hours already settled stay so. The others are open; an hour that was asked for a day or more after it
        was due, while a later hour has members, is empty for good.
        """
        for hour in hours:
            start = hour_window(hour).start
            if start in self._read_hours and hour in self._settled:
                self._read_hours[start] = ReadHour(asked_at, self._read_hours[start].members)
        self.leave_open(hours)
        self.settle_overdue(hours - self._settled, now=asked_at, export_delay_hours=export_delay_hours)

    def leave_open(self, hours: HourSet) -> None:
        """Record that ``hours`` were asked for without an answer that proves anything; those settled stay so."""
        self._open |= hours - self._settled

    def settle_overdue(self, hours: HourSet, *, now: datetime, export_delay_hours: int) -> None:
        """Settle those of ``hours`` that are ripe at ``now``, as soon as a later hour has members; see `ripe_at`.

        What they have must be known to be nothing, or be read by the caller.
        """
        end = conclusive_until(now, export_delay_hours)
        self._conclusive |= HourSet(
            tuple(HourWindow(each.start, min(each.end, end)) for each in hours.windows if each.start < end)
        )
        self._settle_conclusive_hours()

    def note_later_data(self, hour: datetime) -> None:
        """Record that ``hour`` has members, read or not: ripe hours before it are settled."""
        self._newest_with_data = max(self._newest_with_data or hour, hour)
        self._settle_conclusive_hours()

    def settle(self, hours: HourSet) -> None:
        """Record that ``hours`` are done, or empty for good."""
        self._settled |= hours
        self._open -= hours
        self._conclusive -= hours

    def note_project(self, project: str) -> None:
        """Record whose archives these are; raise an OtherProjectError if those before belong to another project."""
        self._project = self._project or project
        if project != self._project:
            raise OtherProjectError(
                f"The archives belong to project {project}, the saved state to project {self._project}.",
                tried="Nothing of the archive was emitted.",
            )

    def remember_window(self, working_hours: tuple[int, int] | None) -> None:
        """Remember how many hours a request may ask for; see `working_hours`."""
        self._working_hours = working_hours

    def forget_malformed_lines(self) -> None:
        """Let flawed hours be forgotten like others: nothing names their malformed lines again."""
        for hour, read in self.with_malformed_lines().items():
            members = {name: replace(seen, malformed_lines=0) for name, seen in read.members.items()}
            self._read_hours[hour] = replace(read, members=members)

    def forget_final_hours(self, ages_hours: tuple[int, ...]) -> None:
        """Drop the members of settled hours that will not be read again; flawed hours stay."""
        last_age = HOUR * max(ages_hours, default=0)
        for hour, read in list(self._read_hours.items()):
            final = hour in self._settled and read.read_at >= hour_window(hour).end + last_age
            if final and not read.malformed_lines:
                del self._read_hours[hour]

    def clamp(self, future: datetime, end: datetime) -> bool:
        """Unsettle the hours from ``end`` on if any from ``future`` on is settled; return whether that was so."""
        impossible = self._settled & HourSet((HourWindow(future, END_OF_TIME),))
        if not impossible.windows:
            return False
        rest = HourSet((HourWindow(end, END_OF_TIME),))
        self._settled -= rest
        self._open -= rest
        return True

    @property
    def newest_settled(self) -> datetime | None:
        """The start of the newest settled hour; None before any."""
        return self._settled.windows[-1].end - HOUR if self._settled.windows else None

    def cursor(self, start: datetime, accepted_gaps: HourSet) -> datetime:
        """Return the hour before the oldest hour from ``start`` on that is not settled."""
        rest = HourWindow(start, END_OF_TIME)
        missing = self.missing(rest, accepted_gaps).windows or self.missing(rest, HourSet()).windows
        return missing[0].start - HOUR

    def _settle_conclusive_hours(self) -> None:
        ripe, newest = self._conclusive.windows, self._newest_with_data
        if ripe and newest is not None and ripe[0].start < newest:
            self.settle(self._conclusive & HourSet((HourWindow(ripe[0].start, newest),)))
