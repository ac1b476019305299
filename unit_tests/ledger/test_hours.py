from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from source_amplitude.errors import OtherProjectError
from source_amplitude.ledger import Ledger, ReadHour
from source_amplitude.members import Fingerprint, MemberName
from source_amplitude.windows import DAY, HOUR, HourSet, HourWindow

MIDNIGHT = datetime(2024, 3, 1, tzinfo=timezone.utc)
LATER = MIDNIGHT + 30 * DAY
DELAY = 3
NO_GAPS = HourSet()


def h(number: int) -> datetime:
    return MIDNIGHT + HOUR * number


def hours(first: int, end: int) -> HourSet:
    return HourSet((HourWindow(h(first), h(end)),))


def span(first: int, end: int) -> HourWindow:
    return HourWindow(h(first), h(end))


def member(hour: datetime, partition: int = 0) -> str:
    return str(MemberName("100200", hour, partition))


def one_member(hour: datetime, *, malformed_lines: int = 0) -> dict[str, Fingerprint]:
    return {member(hour): Fingerprint(10, 0xCAFE, malformed_lines)}


def ledger_with_read(*numbers: int, asked_at: datetime = LATER) -> Ledger:
    ledger = Ledger()
    for number in numbers:
        ledger.mark_done(h(number), one_member(h(number)), asked_at=asked_at)
    return ledger


def test_missing_excludes_settled_hours_and_accepted_gaps() -> None:
    ledger = ledger_with_read(2, 1)

    assert Ledger().missing(span(0, 5), NO_GAPS) == hours(0, 5)
    assert ledger.missing(span(0, 5), NO_GAPS) == hours(0, 1) | hours(3, 5)
    assert ledger.missing(span(0, 5), hours(3, 4)) == hours(0, 1) | hours(4, 5)
    assert (ledger.settled, ledger.open, ledger.newest_with_data) == (hours(1, 3), HourSet(), h(2))


def test_partial_hour_stays_missing_and_keeps_its_members() -> None:
    ledger = Ledger()

    ledger.mark_partial(h(1), one_member(h(1)), asked_at=h(5))
    assert (ledger.missing(span(0, 3), NO_GAPS), ledger.newest_with_data) == (hours(0, 3), None)

    ledger.mark_done(h(1), {"b": Fingerprint(3, 3)}, asked_at=h(6))
    assert ledger.read_hours == {h(1): ReadHour(h(6), {**one_member(h(1)), "b": Fingerprint(3, 3)})}
    assert [ledger.known(name) for name in (member(h(1)), member(h(1), 7))] == [Fingerprint(10, 0xCAFE), None]


def test_hour_of_day_files_settles_its_day() -> None:
    ledger = Ledger()
    noon = datetime(2014, 11, 11, 12, tzinfo=timezone.utc)
    day = HourWindow(noon.replace(hour=0), noon.replace(hour=0) + DAY)

    ledger.mark_done(noon, {}, asked_at=LATER)

    assert ledger.settled == HourSet((day,))
    assert ledger.read_hours == {day.start: ReadHour(LATER, {})}
    assert ledger.newest_with_data == day.start


def test_hour_without_members_is_open_and_missing() -> None:
    ledger = Ledger()
    ledger.mark_partial(h(0), one_member(h(0)), asked_at=h(4))

    ledger.mark_empty_response(hours(0, 2), asked_at=h(4), conclusive_after_hours=24 + DELAY)

    assert ledger.open == hours(0, 2)
    assert ledger.missing(span(0, 3), NO_GAPS) == hours(0, 3)
    assert ledger.known(member(h(0))) == Fingerprint(10, 0xCAFE)


@pytest.mark.parametrize(
    ("delay", "asked_at", "is_settled"),
    [
        (3, h(27), True),
        (3, h(27) - timedelta(seconds=1), False),
        (1, h(25), True),
        (1, h(25) - timedelta(microseconds=1), False),
        (168, h(192), True),
        (168, h(191), False),
    ],
)
def test_404_is_conclusive_a_day_after_the_hour_was_due(delay: int, asked_at: datetime, *, is_settled: bool) -> None:
    ledger = ledger_with_read(1)

    ledger.mark_empty_response(hours(0, 1), asked_at=asked_at, conclusive_after_hours=24 + delay)

    assert ledger.settled == (hours(0, 2) if is_settled else hours(1, 2))
    assert ledger.open == (HourSet() if is_settled else hours(0, 1))


def test_conclusive_hours_are_settled_when_a_later_hour_is_done() -> None:
    ledger = Ledger()
    ledger.mark_empty_response(hours(0, 5), asked_at=LATER, conclusive_after_hours=24 + DELAY)

    ledger.mark_done(h(3), one_member(h(3)), asked_at=LATER)

    assert (ledger.settled, ledger.open) == (hours(0, 4), hours(4, 5))
    assert ledger.cursor(h(0), NO_GAPS) == h(3)


def test_conclusive_time_depends_on_the_request_time() -> None:
    ledger = Ledger()
    ledger.mark_empty_response(hours(0, 1), asked_at=h(4), conclusive_after_hours=24 + DELAY)

    ledger.mark_done(h(3), one_member(h(3)), asked_at=LATER)

    assert (ledger.settled, ledger.open) == (hours(3, 4), hours(0, 1))


def test_settle_overdue_waits_for_a_later_hour_with_data() -> None:
    ledger = Ledger()

    ledger.settle_overdue(hours(0, 5), now=h(28), conclusive_after_hours=24 + DELAY)
    assert (ledger.settled, ledger.open) == (HourSet(), HourSet())

    ledger.note_later_data(h(1))
    assert (ledger.settled, ledger.newest_with_data) == (hours(0, 1), h(1))

    ledger.note_later_data(h(4))
    assert (ledger.settled, ledger.newest_with_data) == (hours(0, 2), h(4))


@pytest.mark.parametrize("name", ["settled", "open", "read_hours", "project", "newest_with_data", "working_hours"])
def test_attributes_cannot_be_assigned(name: str) -> None:
    ledger = ledger_with_read(0)

    with pytest.raises(AttributeError):
        setattr(ledger, name, getattr(ledger, name))


def test_read_hours_is_read_only() -> None:
    ledger = ledger_with_read(0)

    with pytest.raises(TypeError):
        ledger.read_hours[h(0)] = ReadHour(LATER, {})  # type: ignore[index]

    assert ledger == ledger_with_read(0)


def test_archives_of_another_project_are_rejected() -> None:
    ledger = Ledger()
    ledger.note_project("100200")
    ledger.note_project("100200")

    with pytest.raises(OtherProjectError, match="belong to project 999, the saved state to project 100200"):
        ledger.note_project("999")

    assert ledger.project == "100200"


def test_forget_malformed_lines_resets_the_counts() -> None:
    ledger = Ledger()
    ledger.mark_done(h(0), one_member(h(0), malformed_lines=2), asked_at=LATER)

    ledger.forget_malformed_lines()

    assert ledger == ledger_with_read(0)


@pytest.mark.parametrize(
    ("read_at", "now", "is_due"),
    [
        (h(3), h(7) - timedelta(seconds=1), False),
        (h(3), h(7), True),
        (h(3), h(40), True),
        (h(7) - timedelta(seconds=1), h(7), True),
        (h(7), h(7), False),
        (h(7), h(25) - timedelta(seconds=1), False),
        (h(7), h(25), True),
        (h(25), LATER, False),
        (h(26), LATER, False),
    ],
)
def test_done_hour_is_due_once_after_each_age(read_at: datetime, now: datetime, *, is_due: bool) -> None:
    ledger = ledger_with_read(0, asked_at=read_at)

    due = ledger.rechecks_due(span(0, 100), (6, 24), now)

    assert due == (hours(0, 1) if is_due else HourSet())


@pytest.mark.parametrize("finds_members", [True, False])
def test_recheck_counts_with_and_without_members(*, finds_members: bool) -> None:
    ledger = ledger_with_read(0, asked_at=h(3))

    if finds_members:
        ledger.mark_done(h(0), one_member(h(0)), asked_at=h(8))
    else:
        ledger.mark_empty_response(hours(0, 1), asked_at=h(8), conclusive_after_hours=24 + DELAY)

    assert ledger == Ledger(
        settled=hours(0, 1), read_hours={h(0): ReadHour(h(8), one_member(h(0)))}, newest_with_data=h(0)
    )
    assert ledger.rechecks_due(span(0, 100), (6, 24), h(9)) == HourSet()


def test_partial_hours_and_other_spans_are_not_rechecked() -> None:
    ledger = ledger_with_read(0, 5, asked_at=h(8))
    ledger.mark_partial(h(2), one_member(h(2)), asked_at=h(8))

    assert ledger.rechecks_due(span(1, 100), (24,), LATER) == hours(5, 6)
    assert ledger.rechecks_due(span(1, 100), (), LATER) == HourSet()


@pytest.mark.parametrize(
    ("ages", "read_at", "is_kept"),
    [
        ((6, 24), h(25) - timedelta(seconds=1), True),
        ((6, 24), h(25), False),
        ((6,), h(7), False),
        ((6,), h(6), True),
        ((), h(3), False),
    ],
)
def test_members_are_dropped_after_the_last_recheck(ages: tuple[int, ...], read_at: datetime, *, is_kept: bool) -> None:
    ledger = ledger_with_read(0, asked_at=read_at)

    ledger.forget_final_hours(ages)

    assert ledger.read_hours == ({h(0): ReadHour(read_at, one_member(h(0)))} if is_kept else {})
    assert ledger.settled == hours(0, 1)


def test_malformed_and_partial_hours_are_kept() -> None:
    ledger = Ledger()
    ledger.mark_done(h(0), one_member(h(0), malformed_lines=2), asked_at=LATER)
    ledger.mark_partial(h(1), one_member(h(1)), asked_at=LATER)
    ledger.mark_done(h(2), one_member(h(2)), asked_at=LATER)

    ledger.forget_final_hours((6, 24))

    assert sorted(ledger.read_hours) == [h(0), h(1)]
    assert ledger.with_malformed_lines() == {h(0): ReadHour(LATER, one_member(h(0), malformed_lines=2))}
    assert ledger.with_malformed_lines()[h(0)].malformed_lines == 2


def test_clamp_unsettles_hours_if_a_future_hour_is_settled() -> None:
    ledger = ledger_with_read(0, 1, 2)
    ledger.mark_empty_response(hours(3, 5), asked_at=h(6), conclusive_after_hours=24 + DELAY)

    clamped = [ledger.clamp(h(2), end=h(1)), ledger.clamp(h(2), end=h(0))]

    assert clamped == [True, False]
    assert (ledger.settled, ledger.open) == (hours(0, 1), HourSet())
    assert ledger.known(member(h(2))) == Fingerprint(10, 0xCAFE)


def test_cursor_is_the_hour_before_the_oldest_missing_hour() -> None:
    ledger = ledger_with_read(0, 1, 4)

    assert Ledger().cursor(h(0), NO_GAPS) == h(-1)
    assert ledger.cursor(h(0), NO_GAPS) == h(1)
    assert ledger.cursor(h(1), NO_GAPS) == h(1)
    assert ledger.cursor(h(4), NO_GAPS) == h(4)
    assert ledger.cursor(h(0), hours(2, 4)) == h(4)


def test_cursor_exists_if_accepted_gaps_never_end() -> None:
    without_end = HourSet((HourWindow(h(0), datetime(9999, 1, 2, tzinfo=timezone.utc)),))

    assert ledger_with_read(0).cursor(h(0), without_end) == h(0)
