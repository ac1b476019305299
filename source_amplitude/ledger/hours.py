"""Which hours are settled, open, or worth another look.

An hour is in one of these conditions:

* *settled*: done (every line of its members was emitted), or empty for good. Never asked for again, but for
  the rechecks of late files.
* *open*: asked for, and Amplitude had nothing. It may be empty, or published late; a 404 does not say which.
* neither: never asked for, or asked for in vain.

A landed hour's members are remembered as long as it will be read again, so that nothing of it is emitted twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from source_amplitude.windows import DAY, HOUR, HourSet, HourWindow, floor_hour, hour_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.members import Fingerprint

END_OF_TIME = datetime(9999, 1, 1, tzinfo=timezone.utc)


def came_of_age(window: HourWindow, ages_hours: tuple[int, ...], *, since: datetime, until: datetime) -> bool:
    """Return whether ``window`` reached one of these ages, in hours after its end, after ``since`` and by ``until``."""
    return any(since < window.end + HOUR * age <= until for age in ages_hours)


def ripe_at(hour: datetime, export_delay_hours: int) -> datetime:
    """Return when finding nothing for ``hour`` begins to mean that it is empty, if a later hour has members."""
    return hour + DAY + HOUR * export_delay_hours


def ripe_end(now: datetime, export_delay_hours: int) -> datetime:
    """Return the end of the newest hour that is ripe at ``now``; see `ripe_at`."""
    return floor_hour(now) - DAY - HOUR * (export_delay_hours - 1)


@dataclass(frozen=True)
class LandedHour:
    """What is remembered of an hour that had members.

    Attributes:
        read_at: When the request was sent whose answer was read last, aware UTC.
        members: Full member name to what was emitted of it.
    """

    read_at: datetime
    members: Mapping[str, Fingerprint]

    @property
    def malformed_lines(self) -> int:
        """How many lines of the hour could not be emitted."""
        return sum(print_.malformed_lines for print_ in self.members.values())


@dataclass
class Ledger:
    """The state of the events stream; changed only through its methods.

    Attributes:
        settled: Hours that are done or empty for good.
        open: Hours asked for without an answer that had members, and not settled.
        landed: Start of an hour (or day of files) to what is remembered of it; settled or half read.
        project: The project that the archives belong to; None before the first archive.
        newest_landed: The newest hour that ever had members.
        working_hours: ``(request_time_range, hours)`` when that range proved too large and ``hours`` worked.
    """

    settled: HourSet = field(default_factory=HourSet)
    open: HourSet = field(default_factory=HourSet)
    landed: dict[datetime, LandedHour] = field(default_factory=dict)
    project: str | None = None
    newest_landed: datetime | None = None
    working_hours: tuple[int, int] | None = None
    _ripe: HourSet = field(default_factory=HourSet)

    def missing(self, span: HourWindow, accepted_gaps: HourSet) -> HourSet:
        """Return the hours of ``span`` that are neither settled nor accepted as gaps."""
        return HourSet((span,)) - self.settled - accepted_gaps

    def rechecks_due(self, span: HourWindow, ages_hours: tuple[int, ...], now: datetime) -> HourSet:
        """Return the done hours of ``span`` that reached one of ``ages_hours`` since they were last read."""
        due = [
            hour_window(hour)
            for hour, landed in self.landed.items()
            if hour in self.settled and hour in span
            if came_of_age(hour_window(hour), ages_hours, since=landed.read_at, until=now)
        ]
        return HourSet.of(due)

    def known(self, member: str) -> Fingerprint | None:
        """Return what was emitted of a member, or None when nothing of it is remembered."""
        for landed in self.landed.values():
            if member in landed.members:
                return landed.members[member]
        return None

    def flawed(self) -> dict[datetime, LandedHour]:
        """Return the remembered hours that had malformed lines."""
        return {hour: landed for hour, landed in sorted(self.landed.items()) if landed.malformed_lines}

    def land(self, hour: datetime, members: Mapping[str, Fingerprint], *, asked_at: datetime) -> None:
        """Record that every line of the hour's ``members`` was emitted or counted as malformed.

        Members remembered from before that Amplitude no longer has stay remembered: they may come back.
        """
        window = hour_window(hour)
        self._remember(window.start, members, read_at=asked_at)
        self.settled |= HourSet((window,))
        self.open -= HourSet((window,))
        self.newest_landed = max(self.newest_landed or window.start, window.start)
        self._settle_empty_hours()

    def keep(self, hour: datetime, members: Mapping[str, Fingerprint], *, asked_at: datetime) -> None:
        """Remember what was emitted of an hour, without calling it done; a recheck that failed stays due."""
        start = hour_window(hour).start
        is_recheck = start in self.landed and hour in self.settled
        self._remember(start, members, read_at=self.landed[start].read_at if is_recheck else asked_at)

    def _remember(self, start: datetime, members: Mapping[str, Fingerprint], *, read_at: datetime) -> None:
        before = self.landed[start].members if start in self.landed else {}
        self.landed[start] = LandedHour(read_at, {**before, **members})

    def found_nothing(self, hours: HourSet, *, asked_at: datetime, export_delay_hours: int) -> None:
        """Record that an answer had no members for ``hours``.

        Hours already settled stay so. The others are open; an hour that was asked for a day or more after it
        was due, while a later hour has members, is empty for good.
        """
        for hour in hours:
            start = hour_window(hour).start
            if start in self.landed and hour in self.settled:
                self.landed[start] = LandedHour(asked_at, self.landed[start].members)
        open_hours = hours - self.settled
        self.open |= open_hours
        ripe = [hour_window(hour) for hour in open_hours if ripe_at(hour, export_delay_hours) <= asked_at]
        self._ripe |= HourSet.of(ripe)
        self._settle_empty_hours()

    def leave_open(self, hours: HourSet) -> None:
        """Record that ``hours`` were asked for without an answer that proves anything; those settled stay so."""
        self.open |= hours - self.settled

    def forget_what_is_final(self, ages_hours: tuple[int, ...]) -> None:
        """Drop the members of settled hours that will not be read again; flawed hours stay."""
        last_age = HOUR * max(ages_hours, default=0)
        for hour, landed in list(self.landed.items()):
            final = hour in self.settled and landed.read_at >= hour_window(hour).end + last_age
            if final and not landed.malformed_lines:
                del self.landed[hour]

    def clamp(self, future: datetime, end: datetime) -> bool:
        """Unsettle the hours from ``end`` on if any from ``future`` on is settled; return whether that was so."""
        impossible = self.settled & HourSet((HourWindow(future, END_OF_TIME),))
        if not impossible.windows:
            return False
        rest = HourSet((HourWindow(end, END_OF_TIME),))
        self.settled -= rest
        self.open -= rest
        return True

    @property
    def newest_settled(self) -> datetime | None:
        """The start of the newest settled hour; None before any."""
        return self.settled.windows[-1].end - HOUR if self.settled.windows else None

    def cursor(self, start: datetime, accepted_gaps: HourSet) -> datetime:
        """Return the hour before the oldest hour from ``start`` on that is not settled."""
        rest = HourWindow(start, END_OF_TIME)
        missing = self.missing(rest, accepted_gaps).windows or self.missing(rest, HourSet()).windows
        return missing[0].start - HOUR

    def _settle_empty_hours(self) -> None:
        if self.newest_landed is None or not self._ripe.windows:
            return
        if self._ripe.windows[0].start < self.newest_landed:
            empty = self._ripe & HourSet((HourWindow(self._ripe.windows[0].start, self.newest_landed),))
            self._ripe -= empty
            self.open -= empty
            self.settled |= empty
