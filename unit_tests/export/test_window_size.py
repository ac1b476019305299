from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.export.window_size import Span, WindowQueue, WindowSize, spans_to_read
from source_amplitude.ledger import Ledger
from source_amplitude.members import Fingerprint
from source_amplitude.windows import DAY, DAY_FILES_END, HOUR, HourSet, HourWindow

MIDNIGHT = datetime(2024, 3, 1, tzinfo=timezone.utc)
LATER = MIDNIGHT + 30 * DAY
NO_GAPS = HourSet()
MEMBERS = {"a": Fingerprint(1, 1)}


def h(number: int) -> datetime:
    return MIDNIGHT + HOUR * number


def window(first: int, end: int) -> HourWindow:
    return HourWindow(h(first), h(end))


def drained(queue: WindowQueue) -> list[HourWindow]:
    return list(iter(queue.take, None))


def test_initial_size_is_the_configured_size() -> None:
    size = WindowSize.remembered(24, Ledger())

    assert (size.configured_hours, size.hours, size.to_remember) == (24, 24, None)


@pytest.mark.parametrize(
    ("saved", "hours"),
    [((24, 6), 6), ((12, 6), 24), ((24, 48), 24), ((24, 0), 1), ((24, -5), 1), (None, 24)],
    ids=["remembered", "another range", "larger than configured", "zero", "negative", "nothing"],
)
def test_remembered_size_applies_to_the_same_range(saved: tuple[int, int] | None, hours: int) -> None:
    size = WindowSize.remembered(24, Ledger(working_hours=saved))

    assert size.hours == hours


def test_too_large_size_is_halved_and_remembered() -> None:
    size = WindowSize(24, 24)

    size.was_too_large(12)
    size.was_too_large(6)
    size.was_too_large(12)

    assert (size.hours, size.to_remember) == (6, (24, 6))


def test_size_is_at_least_one_hour() -> None:
    size = WindowSize(24, 1)

    size.was_too_large(0)

    assert size.hours == 1


def test_twelve_successes_double_the_size() -> None:
    size = WindowSize(24, 24)
    size.was_too_large(5)
    hours: list[int] = []

    for _ in range(40):
        size.worked(size.hours)
        hours.append(size.hours)

    assert hours == [5] * 11 + [10] * 12 + [20] * 12 + [24] * 5
    assert size.to_remember is None


def test_too_large_window_resets_the_success_count() -> None:
    size = WindowSize(24, 24)
    size.was_too_large(6)
    for _ in range(11):
        size.worked(6)

    size.was_too_large(3)
    size.worked(3)

    assert size.hours == 3


def test_smaller_windows_do_not_increase_the_size() -> None:
    size = WindowSize(24, 24)
    size.was_too_large(6)

    for _ in range(40):
        size.worked(1)

    assert size.hours == 6


def test_a_window_that_is_too_large_shortens_the_next_ones() -> None:
    size = WindowSize(8, 8)

    assert (size.shrink(window(0, 8)), size.hours, size.needs_an_answer) == (True, 4, True)
    assert (size.shrink(window(0, 8)), size.hours) == (True, 4)
    assert (size.shrink(window(0, 1)), size.hours) == (False, 4)


def test_a_size_that_worked_is_requested_in_parallel_again() -> None:
    size = WindowSize(8, 8)
    size.shrink(window(0, 8))

    size.answered(window(0, 2), has_files=True)
    before = size.needs_an_answer
    size.answered(window(0, 4), has_files=True)

    assert (before, size.needs_an_answer) == (True, False)


def test_windows_without_files_double_up_to_30_days() -> None:
    size = WindowSize(4, 4)
    hours: list[int] = []

    for _ in range(10):
        hours.append(size.next_hours)
        size.answered(window(0, size.next_hours), has_files=False)

    assert hours == [4, 8, 16, 32, 64, 128, 256, 512, 720, 720]
    assert (size.needs_an_answer, size.to_remember) == (True, None)


def test_a_configured_size_above_30_days_stays() -> None:
    size = WindowSize(2000, 2000)

    size.answered(window(0, 2000), has_files=False)

    assert (size.next_hours, size.needs_an_answer) == (2000, False)


def test_the_first_file_ends_the_growth() -> None:
    size = WindowSize(4, 4)
    size.answered(window(0, 4), has_files=False)

    size.answered(window(4, 12), has_files=True)

    assert (size.next_hours, size.needs_an_answer) == (4, False)


def test_a_grown_window_that_is_too_large_keeps_the_size() -> None:
    size = WindowSize(4, 4)
    size.answered(window(0, 4), has_files=False)

    cut = size.shrink(window(4, 12))

    assert (cut, size.next_hours, size.to_remember) == (True, 4, None)


def test_only_a_grown_window_is_cut_after_a_failure() -> None:
    size = WindowSize(4, 4)
    size.answered(window(0, 4), has_files=False)
    grown, plain = window(4, 12), window(12, 16)

    assert [size.cuts_after_failure(each) for each in (plain, grown, grown)] == [False, True, False]
    assert (size.hours, size.next_hours) == (4, 4)


def test_newest_hours_are_taken_first() -> None:
    spans = [Span(window(0, 5)), Span(window(9, 10)), Span(window(20, 22))]
    queue = WindowQueue(spans, WindowSize(4, 4), newest_first=True)

    assert drained(queue) == [window(20, 22), window(9, 10), window(1, 5), window(0, 1)]


def test_returned_windows_are_cut_at_the_current_size() -> None:
    size = WindowSize(4, 4)
    queue = WindowQueue([Span(window(0, 10))], size)
    taken = [queue.take(), queue.take()]
    size.was_too_large(2)

    queue.put_back(each for each in taken if each)

    assert drained(queue) == [window(0, 2), window(2, 4), window(4, 6), window(6, 8), window(8, 10)]


def test_windows_are_taken_oldest_first() -> None:
    spans = [Span(window(20, 22)), Span(window(0, 5)), Span(window(9, 10))]

    windows = drained(WindowQueue(spans, WindowSize(4, 4)))

    assert windows == [window(0, 4), window(4, 5), window(9, 10), window(20, 22)]


def test_whole_spans_are_windows_of_at_most_365_days() -> None:
    spans = [Span(window(0, 9000), whole=True), Span(window(9000, 9006))]

    windows = drained(WindowQueue(spans, WindowSize(4, 4)))

    assert windows == [window(0, 8760), window(8760, 9000), window(9000, 9004), window(9004, 9006)]


def test_take_uses_the_current_size() -> None:
    size = WindowSize(4, 4)
    queue = WindowQueue([Span(window(0, 10))], size)

    first = queue.take()
    size.was_too_large(2)
    second = queue.take()

    assert (first, second, queue.hours_left()) == (window(0, 4), window(4, 6), 4)


def test_empty_queue_returns_none() -> None:
    queue = WindowQueue([], WindowSize(4, 4))

    assert (queue.take(), queue.hours_left()) == (None, 0)


def test_window_of_day_files_is_a_whole_day() -> None:
    span = HourWindow(DAY_FILES_END - DAY, DAY_FILES_END + 2 * HOUR)

    windows = drained(WindowQueue([Span(span)], WindowSize(4, 1)))

    assert windows == [
        HourWindow(span.start, DAY_FILES_END),
        HourWindow(DAY_FILES_END, DAY_FILES_END + HOUR),
        HourWindow(DAY_FILES_END + HOUR, DAY_FILES_END + 2 * HOUR),
    ]


SIZES = st.integers(1, 30)


@given(
    parts=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.booleans()), max_size=6),
    sizes=st.lists(SIZES),
    newest_first=st.booleans(),
)
@settings(deadline=None)
def test_any_queue_returns_every_hour_once_in_order(
    parts: list[tuple[int, int, bool]], sizes: list[int], *, newest_first: bool
) -> None:
    disjoint = HourSet.of(window(first, first + length) for first, length, _ in parts)
    spans = [Span(part, whole=bool(number % 2)) for number, part in enumerate(disjoint.windows)]
    size = WindowSize(30, 30)
    queue = WindowQueue(reversed(spans), size, newest_first=newest_first)
    windows: list[HourWindow] = []

    for hours in [*sizes, *[1] * 100]:
        size.hours = hours
        taken = queue.take()
        windows += [taken] if taken else []

    assert windows == sorted(windows, reverse=newest_first)
    assert [hour for part in sorted(windows) for hour in part] == list(disjoint)


def test_spans_are_open_missing_and_recheck_hours() -> None:
    ledger = Ledger()
    ledger.mark_done(h(0), MEMBERS, asked_at=h(3))
    ledger.mark_done(h(1), MEMBERS, asked_at=LATER)
    ledger.mark_empty_response(HourSet((window(2, 5),)), asked_at=h(8), conclusive_after_hours=27)
    ledger.mark_done(h(5), MEMBERS, asked_at=h(8))

    spans = spans_to_read(
        ledger, window(0, 12), accepted_gaps=NO_GAPS, recheck_hours=(6, 24), now=h(13), reread=HourSet()
    )

    assert sorted(spans) == [
        Span(window(0, 1)),
        Span(window(2, 5), whole=True),
        Span(window(5, 6)),
        Span(window(6, 12)),
    ]


def test_spans_exclude_accepted_gaps() -> None:
    ledger = Ledger()
    ledger.mark_done(h(0), MEMBERS, asked_at=h(3))
    ledger.mark_empty_response(HourSet((window(1, 5),)), asked_at=h(8), conclusive_after_hours=27)
    gaps = HourSet((window(2, 3), window(7, 8)))

    spans = spans_to_read(ledger, window(0, 10), accepted_gaps=gaps, recheck_hours=(), now=LATER, reread=HourSet())

    assert sorted(spans) == [
        Span(window(1, 2), whole=True),
        Span(window(3, 5), whole=True),
        Span(window(5, 7)),
        Span(window(8, 10)),
    ]


def test_settled_hours_need_no_requests() -> None:
    ledger = Ledger(settled=HourSet((window(-5, 30),)), open=HourSet((window(30, 40),)))

    assert (
        spans_to_read(ledger, window(0, 10), accepted_gaps=NO_GAPS, recheck_hours=(6,), now=LATER, reread=HourSet())
        == []
    )
