from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.landing.coverage import Condition, Coverage, CoverSpan, HourCover, coverage, shortfall, spans_of
from source_amplitude.landing.layout import by_folder, hour_folder
from source_amplitude.landing.manifest import HourState, LandedObject, Manifest
from source_amplitude.members import NOTHING_READ
from source_amplitude.windows import HOUR, HourSet, HourWindow, hour_window
from unit_tests.landing.manifests import NAMES, manifests

FIVE = datetime(2026, 3, 4, 5, tzinfo=timezone.utc)
ONE = LandedObject("a", "member a", 10, 1, 10, 1, 3, NOTHING_READ)
DONE = Manifest(hour_window(FIVE), HourState.DONE, FIVE, "raw", "1", (ONE,), {"A": 3})


def cover_of(manifest: Manifest | None, sizes: dict[str, int], *, gaps: HourSet | None = None) -> HourCover:
    by_hour = {} if manifest is None else {FIVE: manifest}
    found = coverage(hour_window(FIVE), by_hour, {hour_folder(FIVE): sizes}, accepted_gaps=gaps or HourSet())
    return found.hours[0]


def test_hour_with_all_objects_is_done() -> None:
    done = HourCover(hour_window(FIVE), Condition.DONE, 3, 10, 1, {"A": 3})

    assert cover_of(DONE, {"a": 10}) == done
    assert cover_of(DONE, {"a": 10, "other": 5}) == done


def test_hour_with_missing_or_truncated_object_is_short() -> None:
    deleted, cut = cover_of(DONE, {}), cover_of(DONE, {"a": 9})

    assert (deleted.condition, deleted.reason) == (Condition.SHORT, "a is missing")
    assert (cut.condition, cut.reason) == (Condition.SHORT, "a has 9 bytes instead of 10")


def test_hour_without_manifest_is_missing() -> None:
    nothing, something = cover_of(None, {}), cover_of(None, {"a": 10})

    assert nothing == HourCover(hour_window(FIVE), Condition.MISSING, reason="never landed")
    assert something == HourCover(
        hour_window(FIVE),
        Condition.MISSING,
        objects=1,
        object_bytes=10,
        reason="incomplete: landing was interrupted",
    )


def test_accepted_gap_applies_only_to_missing_hours() -> None:
    gaps = HourSet((hour_window(FIVE),))

    assert cover_of(None, {}, gaps=gaps).condition is Condition.ACCEPTED
    assert cover_of(DONE, {}, gaps=gaps).condition is Condition.ACCEPTED
    assert cover_of(DONE, {"a": 10}, gaps=gaps).condition is Condition.DONE


@given(manifests(st.just(FIVE), NAMES), st.dictionaries(NAMES, st.integers(0, 3)))
def test_hour_is_done_only_if_all_objects_are_complete(manifest: Manifest, sizes: dict[str, int]) -> None:
    cover = cover_of(manifest, sizes)

    is_complete = all(sizes.get(each.name) == each.object_bytes for each in manifest.objects)
    assert (shortfall(manifest, sizes) == "") == is_complete
    assert is_complete or cover.condition.is_missing
    assert manifest.state is not HourState.FAILED or cover.condition is Condition.FAILED


@given(st.integers(-60, 60), st.integers(1, 60))
def test_coverage_has_every_hour_of_the_span_once(first: int, hours: int) -> None:
    start = hour_window(datetime(2014, 11, 12, tzinfo=timezone.utc) + HOUR * first).start
    span = HourWindow(start, hour_window(start + HOUR * hours).end)

    found = coverage(span, {}, {}, accepted_gaps=HourSet())

    assert HourSet.of(each.window for each in found.hours).windows == (span,)
    assert sum(each.window.hours for each in found.hours) == span.hours
    assert found.missing().windows == (span,)


def test_hours_are_grouped_by_condition_and_day() -> None:
    windows = [hour_window(FIVE.replace(hour=23)), hour_window(FIVE.replace(day=5, hour=0))]
    hours = (HourCover(windows[0], Condition.FAILED), HourCover(windows[1], Condition.OPEN))
    found = Coverage(HourWindow(windows[0].start, windows[1].end), hours)

    assert found.missing() == HourSet((windows[0],))
    assert found.of(Condition.OPEN) == (hours[1],)
    assert list(found.by_day()) == [(each.window.start.date(), (each,)) for each in hours]


def test_sizes_are_grouped_by_folder_and_name() -> None:
    assert by_folder({"a/b/c": 1, "a/b/d": 2, "e": 3}) == {"a/b": {"c": 1, "d": 2}, "": {"e": 3}}


def hour_cover(age: int, condition: Condition, reason: str) -> HourCover:
    return HourCover(hour_window(FIVE + age * HOUR), condition, reason=reason)


COVERS = st.dictionaries(
    st.integers(0, 9), st.tuples(st.sampled_from([Condition.MISSING, Condition.SHORT]), st.sampled_from("ab"))
).map(lambda found: [hour_cover(age, *found[age]) for age in sorted(found)])


@given(COVERS)
def test_spans_contain_the_same_hours_and_are_longest(covers: list[HourCover]) -> None:
    spans = spans_of(covers)

    hours = [
        HourCover(hour_window(each.window.start + age * HOUR), each.condition, reason=each.reason)
        for each in spans
        for age in range(each.window.hours)
    ]
    assert hours == covers
    assert [
        (one, two)
        for one, two in pairwise(spans)
        if one.window.end == two.window.start and (one.condition, one.reason) == (two.condition, two.reason)
    ] == []


def test_consecutive_hours_are_one_span() -> None:
    covers = [hour_cover(age, Condition.MISSING, "never landed") for age in (0, 1, 3)]

    assert spans_of(covers) == (
        CoverSpan(HourWindow(FIVE, FIVE + 2 * HOUR), Condition.MISSING, "never landed"),
        CoverSpan(hour_window(FIVE + 3 * HOUR), Condition.MISSING, "never landed"),
    )
