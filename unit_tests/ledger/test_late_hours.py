"""Late and growing hours in any order: the ledger neither loses nor repeats a line."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from source_amplitude.config import Config, Keys, Region
from source_amplitude.ledger import Ledger, ledger_from_state, state_from_ledger
from source_amplitude.members import Fingerprint
from source_amplitude.windows import HOUR, HourSet, HourWindow, floor_hour, plan
from unit_tests.ledger.test_hours import DELAY, MIDNIGHT, NO_GAPS, h, member, span

if TYPE_CHECKING:
    from collections.abc import Callable


SPAN_HOURS = 40


class PublishedLine(NamedTuple):
    """One line of a member, and the time when Amplitude publishes it."""

    hour: int
    partition: int
    number: int
    at: datetime

    @property
    def text(self) -> bytes:
        return f"{self.hour} {self.partition} line {self.number}\n".encode()


class LateAmplitude(RuleBasedStateMachine):
    """Syncs like the export's reader, against hours that are published late and grow.

    Every hour is published before a 404 for it is conclusive, and grows up to the largest recheck age. The ledger
    guarantees exactly these limits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[PublishedLine] = []
        self.emitted: list[bytes] = []
        self.state: dict[str, object] = {}
        self.now = MIDNIGHT
        self.delay = DELAY
        self.ages: tuple[int, ...] = (6, 24)
        self.conclusive_after_hours = 24 + DELAY
        self.cursors: list[str] = []

    @initialize(
        seed=st.integers(0, 2**32),
        delay=st.sampled_from([1, 3, 10]),
        ages=st.sampled_from([(6, 24), (6, 24), (48,), (1, 30, 72)]),
    )
    def amplitude_has_events(self, seed: int, delay: int, ages: tuple[int, ...]) -> None:
        self.delay, self.ages = delay, ages
        keys = Keys("key", "secret")
        config = Config(keys, Region.STANDARD, h(0), export_delay_hours=delay, recheck_hours=ages)
        self.conclusive_after_hours = config.conclusive_after_hours
        chance = random.Random(seed)
        latest = self.conclusive_after_hours * 60
        last_growth = (1 + max(ages)) * 60
        for hour in range(SPAN_HOURS):
            minutes = chance.choice([None, 60, delay * 60, latest - 1, latest, chance.randint(60, latest)])
            if hour == SPAN_HOURS - 1:
                minutes = delay * 60  # the last hour has members, so that earlier empty hours are conclusive
            if minutes is None:
                continue
            self.lines += [PublishedLine(hour, 0, number, h(hour) + timedelta(minutes=minutes)) for number in (1, 2)]
            grows = chance.choice([0, 300, 1435, last_growth - 1, last_growth])
            if grows >= minutes:
                self.lines.append(PublishedLine(hour, chance.randint(0, 1), 3, h(hour) + timedelta(minutes=grows)))

    def contents(self, hour: datetime) -> dict[str, list[bytes]]:
        members: dict[str, list[bytes]] = {}
        for line in sorted(self.lines, key=lambda line: line.at):
            if h(line.hour) == hour and line.at <= self.now:
                members.setdefault(member(hour, line.partition), []).append(line.text)
        return members

    @rule(minutes=st.sampled_from([5, 55, 60, 180, 360, 1440]) | st.integers(1, 1800))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(size=st.integers(1, 9), slow_hours=st.sampled_from([0, 0, 0, 1, 30]), data=st.data())
    def a_sync_runs(self, size: int, slow_hours: int, data: st.DataObject) -> None:
        fate = st.sampled_from(["good", "good", "good", "fails", "breaks", "ends the sync"])
        self.sync(size, lambda: data.draw(fate, label="window"), slow=HOUR * slow_hours)

    def sync(self, size: int, fate: Callable[[], str] = lambda: "good", slow: timedelta = timedelta(0)) -> None:
        present = self.now - slow  # the earlier of the two clocks
        ledger = ledger_from_state(json.loads(json.dumps(self.state)), export_delay_hours=self.delay).ledger
        end = min(floor_hour(present) - HOUR * (self.delay - 1), h(SPAN_HOURS))
        if end <= h(0):
            return
        assert not ledger.clamp(floor_hour(self.now) + HOUR, end)
        missing = ledger.missing(HourWindow(h(0), end), NO_GAPS)
        due = ledger.rechecks_due(HourWindow(h(0), end), self.ages, present)
        assert missing & due == HourSet()
        for window in [each for part in sorted((*missing.windows, *due.windows)) for each in plan(part, size)]:
            outcome = fate()
            if outcome == "ends the sync":
                break
            if outcome != "fails":
                self.read(ledger, window, slow, breaks=outcome == "breaks")
        self.state = state_from_ledger(ledger, start=h(0), accepted_gaps=NO_GAPS)
        self.cursors.append(str(self.state["server_upload_time"]))

    def read(self, ledger: Ledger, window: HourWindow, slow: timedelta, *, breaks: bool) -> None:
        asked_at = self.now - slow
        nothing = HourSet((window,))
        for hour in window:
            members = self.contents(hour)
            if not members:
                continue
            ledger.note_project("100200")
            nothing -= HourSet((HourWindow(hour, hour + HOUR),))
            seen = {name: self.emit(ledger, name, lines, breaks=breaks) for name, lines in members.items()}
            if breaks:
                ledger.mark_partial(hour, seen, asked_at=asked_at)
                return
            ledger.mark_done(hour, seen, asked_at=asked_at)
            ledger.forget_final_hours(self.ages)
            self.now += timedelta(seconds=7)
        ledger.mark_empty_response(nothing, asked_at=asked_at, conclusive_after_hours=self.conclusive_after_hours)

    def emit(self, ledger: Ledger, name: str, lines: list[bytes], *, breaks: bool) -> Fingerprint:
        known = ledger.known(name) or Fingerprint()
        content = b"".join(lines)
        prefix = content[: known.content_bytes]
        assert Fingerprint(len(prefix), crc32(prefix)) == known
        rest = content[known.content_bytes :].splitlines(keepends=True)
        rest = rest[:1] if breaks else rest
        self.emitted += rest
        read = prefix + b"".join(rest)
        return Fingerprint(len(read), crc32(read))

    @invariant()
    def nothing_is_emitted_twice(self) -> None:
        assert sorted(self.emitted) == sorted(set(self.emitted))

    @invariant()
    def the_cursor_never_moves_back(self) -> None:
        assert self.cursors == sorted(self.cursors)

    def teardown(self) -> None:
        for _ in range(2):  # the first sync reads all late data, the second has nothing to do
            self.now += timedelta(hours=SPAN_HOURS + self.conclusive_after_hours + 3)
            self.sync(24)
        ledger = ledger_from_state(self.state, export_delay_hours=self.delay).ledger
        if self.lines:
            assert sorted(self.emitted) == sorted(line.text for line in self.lines)
            assert ledger.missing(span(0, SPAN_HOURS), NO_GAPS) == ledger.open == HourSet()
            assert ledger.read_hours == {}


LateAmplitude.TestCase.settings = settings(max_examples=80, stateful_step_count=16, deadline=None)
TestLateHours = LateAmplitude.TestCase
