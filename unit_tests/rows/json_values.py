"""Strategies for any JSON value and for responses of almost known shape."""

from __future__ import annotations

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63, max_value=2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-03-01", "2026-03-02T00:00:00", "Mar 01", "Feb 29", "(none)", "", "1", "\ud800"])
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def responses_with(*names: str) -> st.SearchStrategy[object]:
    """Return ``{"data": {...}}`` with known member names and any values, more often lists."""
    values = ANY_JSON | st.lists(SCALARS, max_size=3) | st.lists(st.lists(SCALARS, max_size=3), max_size=2)
    data = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    return ANY_JSON | st.fixed_dictionaries({"data": data})
