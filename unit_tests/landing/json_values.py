"""Hypothesis strategies for JSON values from outside, many of them absurd."""

from __future__ import annotations

from hypothesis import strategies as st

ABSURD: st.SearchStrategy[object] = st.sampled_from(
    [
        *(2**63, -1, 10**4000, 1e308, -0.0, 0.5, float("nan"), float("inf"), True, False, None, "", "9" * 5000),
        *("\x1b[2J", "a\tb\nc", "\u202e", "\ud800", "..", "a/b", "9999-12-31T23", "0001-01-01T00", "٣"),
        *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", [[[[[[]]]]]], {"": {"": {}}}),
    ]
)
JSON_VALUES = st.recursive(
    ABSURD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=6,
)
