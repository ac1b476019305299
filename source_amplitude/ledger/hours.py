"""The ledger of hours.

An hour has one of these states:

* *settled*: done (every line of its members was emitted) or permanently empty. Only rechecks for late-arriving files
  request it again.
* *open*: requested, but Amplitude had no files. It is empty or will be published late; a 404 is inconclusive.
* *missing*: not settled. A missing hour that is not open was never requested, or its requests failed.

The members of a read hour are remembered until its last recheck, so that no line is emitted twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING

from source_amplitude.errors import OtherProjectError
from source_amplitude.members import MemberFingerprints
from source_amplitude.windows import HOUR, HourSet, HourWindow, floor_hour, hour_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.members import Fingerprint

END_OF_TIME = datetime(9999, 1, 1, tzinfo=timezone.utc)

_NO_HOURS = HourSet()


def reached_age(window: HourWindow, ages_hours: tuple[int, ...], *, since: datetime, until: datetime) -> bool:
    """Return whether ``window`` reached an age, in hours after its end, between ``since`` and ``until``."""
    return any(since < window.end + HOUR * age <= until for age in ages_hours)


def conclusive_at(hour: datetime, after_hours: int) -> datetime:
    """Return the time from which a 404 for ``hour`` is conclusive: the hour is empty if a later hour has members.

    Args:
        after_hours: Age of the hour, from its start (`Config.conclusive_after_hours`).
    """
    return hour + HOUR * after_hours


def conclusive_until(now: datetime, after_hours: int) -> datetime:
    """Return the end of the newest hour whose 404 is conclusive at ``now``."""
    return floor_hour(now) - HOUR * (after_hours - 1)


@dataclass(frozen=True)
class ReadHour:
    """The record of an hour that had members.

    Attributes:
        read_at: Time of the last request whose response was read, aware UTC.
        members: Fingerprints of the emitted content, by full member name.
    """

    read_at: datetime
    members: Mapping[str, Fingerprint]

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", MemberFingerprints.of(self.members))

    @property
    def malformed_lines(self) -> int:
        """The number of lines that could not be emitted."""
        return MemberFingerprints.of(self.members).malformed_lines


class Ledger:
    """The state of the events stream. Only its methods change it."""

    def __init__(
        self,
        settled: HourSet = _NO_HOURS,
        open: HourSet = _NO_HOURS,  # noqa: A002 - the key in the state
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
        """Hours that are done or permanently empty."""
        return self._settled

    @property
    def open(self) -> HourSet:
        """Requested hours without members that are not settled."""
        return self._open

    @property
    def read_hours(self) -> Mapping[datetime, ReadHour]:
        """Settled and partly read hours, by the start of the hour (or day of files)."""
        return MappingProxyType(self._read_hours)

    @property
    def project(self) -> str | None:
        """The project of the archives; None before the first archive."""
        return self._project

    @property
    def newest_with_data(self) -> datetime | None:
        """The newest hour that ever had members."""
        return self._newest_with_data

    @property
    def working_hours(self) -> tuple[int, int] | None:
        """``(request_time_range, hours)`` if the range was too large and ``hours`` succeeded; otherwise None."""
        return self._working_hours

    def missing(self, span: HourWindow, accepted_gaps: HourSet) -> HourSet:
        """Return the hours of ``span`` that are neither settled nor accepted as gaps."""
        return HourSet((span,)) - self._settled - accepted_gaps

    def rechecks_due(self, span: HourWindow, ages_hours: tuple[int, ...], now: datetime) -> HourSet:
        """Return the done hours of ``span`` that have reached one of ``ages_hours`` since their last read."""
        due = [
            hour_window(hour)
            for hour, read in self._read_hours.items()
            if hour in self._settled and hour in span
            if reached_age(hour_window(hour), ages_hours, since=read.read_at, until=now)
        ]
        return HourSet.of(due)

    def known(self, member: str) -> Fingerprint | None:
        """Return the fingerprint of a member's emitted content, or None if the member is unknown."""
        for read in self._read_hours.values():
            seen = read.members.get(member)
            if seen is not None:
                return seen
        return None

    def with_malformed_lines(self) -> dict[datetime, ReadHour]:
        """Return the remembered hours with malformed lines."""
        return {hour: read for hour, read in sorted(self._read_hours.items()) if read.malformed_lines}

    def mark_done(self, hour: datetime, members: Mapping[str, Fingerprint], *, asked_at: datetime) -> None:
        """Record that every line of the hour's ``members`` was emitted or counted as malformed.

        Remembered members that are missing now stay remembered: Amplitude may return them later.
        """
        window = hour_window(hour)
        self._remember(window.start, members, read_at=asked_at)
        self.settle(HourSet((window,)))
        self.note_later_data(window.start)

    def mark_partial(self, hour: datetime, members: Mapping[str, Fingerprint], *, asked_at: datetime) -> None:
        """Record the emitted content of an hour that is not done. A failed recheck stays due."""
        start = hour_window(hour).start
        is_recheck = start in self._read_hours and hour in self._settled
        self._remember(start, members, read_at=self._read_hours[start].read_at if is_recheck else asked_at)

    def _remember(self, start: datetime, members: Mapping[str, Fingerprint], *, read_at: datetime) -> None:
        before = self._read_hours[start].members if start in self._read_hours else {}
        self._read_hours[start] = ReadHour(read_at, MemberFingerprints.of(before).merged_with(members))

    def mark_empty_response(self, hours: HourSet, *, asked_at: datetime, conclusive_after_hours: int) -> None:
        """Record that a response had no members for ``hours``.

        Settled hours stay settled. Other hours are open until the 404 is conclusive: the hour was old enough at the
        request, and a later hour has members. Then it is permanently empty.
        """
        for hour in hours:
            start = hour_window(hour).start
            if start in self._read_hours and hour in self._settled:
                self._read_hours[start] = ReadHour(asked_at, self._read_hours[start].members)
        self.leave_open(hours)
        self.settle_overdue(hours - self._settled, now=asked_at, conclusive_after_hours=conclusive_after_hours)

    def leave_open(self, hours: HourSet) -> None:
        """Record that the response for ``hours`` was inconclusive. Settled hours stay settled."""
        self._open |= hours - self._settled

    def settle_overdue(self, hours: HourSet, *, now: datetime, conclusive_after_hours: int) -> None:
        """Settle the ``hours`` whose 404 is conclusive at ``now``, as soon as a later hour has members.

        The hours must be empty, or the caller must read them.
        """
        end = conclusive_until(now, conclusive_after_hours)
        self._conclusive |= HourSet(
            tuple(HourWindow(each.start, min(each.end, end)) for each in hours.windows if each.start < end)
        )
        self._settle_conclusive_hours()

    def note_later_data(self, hour: datetime) -> None:
        """Record that ``hour`` has members, read or not, and settle earlier hours whose 404 is conclusive."""
        self._newest_with_data = max(self._newest_with_data or hour, hour)
        self._settle_conclusive_hours()

    def settle(self, hours: HourSet) -> None:
        """Record that ``hours`` are done or permanently empty."""
        self._settled |= hours
        self._open -= hours
        self._conclusive -= hours

    def note_project(self, project: str) -> None:
        """Record the project of an archive; raise an OtherProjectError if earlier ones belong to another."""
        self._project = self._project or project
        if project != self._project:
            raise OtherProjectError(
                f"The archives belong to project {project}, the saved state to project {self._project}.",
                tried="No records of the archive were emitted.",
            )

    def remember_window(self, working_hours: tuple[int, int] | None) -> None:
        """Set `working_hours`."""
        self._working_hours = working_hours

    def forget_malformed_lines(self) -> None:
        """Set the counts of malformed lines to 0, so that these hours are forgotten like others."""
        for hour, read in self.with_malformed_lines().items():
            members = {name: replace(seen, malformed_lines=0) for name, seen in read.members.items()}
            self._read_hours[hour] = replace(read, members=members)

    def forget_final_hours(self, ages_hours: tuple[int, ...]) -> None:
        """Drop the members of settled hours after their last recheck, except hours with malformed lines."""
        last_age = HOUR * max(ages_hours, default=0)
        for hour, read in list(self._read_hours.items()):
            final = hour in self._settled and read.read_at >= hour_window(hour).end + last_age
            if final and not read.malformed_lines:
                del self._read_hours[hour]

    def clamp(self, future: datetime, end: datetime) -> bool:
        """If any hour from ``future`` on is settled, unsettle all hours from ``end`` on; return whether this was so."""
        impossible = self._settled & HourSet((HourWindow(future, END_OF_TIME),))
        if not impossible.windows:
            return False
        rest = HourSet((HourWindow(end, END_OF_TIME),))
        self._settled -= rest
        self._open -= rest
        return True

    @property
    def newest_settled(self) -> datetime | None:
        """The start of the newest settled hour; None if no hour is settled."""
        return self._settled.windows[-1].end - HOUR if self._settled.windows else None

    def cursor(self, start: datetime, accepted_gaps: HourSet) -> datetime:
        """Return the hour before the oldest missing hour from ``start`` on."""
        rest = HourWindow(start, END_OF_TIME)
        missing = self.missing(rest, accepted_gaps).windows or self.missing(rest, HourSet()).windows
        return missing[0].start - HOUR

    def _settle_conclusive_hours(self) -> None:
        windows, newest = self._conclusive.windows, self._newest_with_data
        if windows and newest is not None and windows[0].start < newest:
            self.settle(self._conclusive & HourSet((HourWindow(windows[0].start, newest),)))
