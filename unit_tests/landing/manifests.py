"""Hypothesis strategies for manifests."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import strategies as st

from source_amplitude.landing.manifest import HourState, LandedObject, Manifest
from source_amplitude.members import Fingerprint
from source_amplitude.windows import hour_window

HOURS = st.datetimes(datetime(2010, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001 - aware
WINDOWS = HOURS.map(hour_window)
CRCS = st.integers(0, 2**32 - 1)
COUNTS = st.integers(0, 10**13)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FILES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)
NAMES = st.sampled_from(["a", "b", "c", "d"])


def objects(names: st.SearchStrategy[str] = FILES) -> st.SearchStrategy[LandedObject]:
    return st.builds(
        lambda name, *values: LandedObject(name, f"member {name}", *values),
        names,
        COUNTS,
        CRCS,
        COUNTS,
        CRCS,
        COUNTS,
        st.builds(Fingerprint, COUNTS, CRCS, COUNTS),
        TEXTS,
    )


@st.composite
def manifests(
    draw: st.DrawFn, hours: st.SearchStrategy[datetime] = HOURS, names: st.SearchStrategy[str] = FILES
) -> Manifest:
    """Return a valid manifest; only done and failed hours have objects."""
    state = draw(st.sampled_from(HourState))
    has_objects = state in (HourState.DONE, HourState.FAILED)
    several = st.lists(objects(names), max_size=4, unique_by=lambda each: each.name)
    landed = sorted(draw(several), key=lambda each: each.name) if has_objects else []
    return Manifest(
        window=hour_window(draw(hours)),
        state=state,
        asked_at=draw(HOURS).replace(microsecond=0),
        format="raw" if landed else "",
        project="1" if landed else None,
        objects=tuple(landed),
        event_types=draw(st.dictionaries(TEXTS, COUNTS, max_size=2)) if landed else {},
        reason=draw(TEXTS) if state is HourState.FAILED else "",
    )
