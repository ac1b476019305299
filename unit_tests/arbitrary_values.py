"""Strategies of Hypothesis for text and JSON from outside."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import strategies as st


def examples(usual: int) -> int:
    """Return how many examples a property test tries: ``usual``, or more with `make test-hostile`."""
    return max(usual, int(os.environ.get("HOSTILE_EXAMPLES", "0")))


ODD_TEXTS = [
    "9" * 5000,
    "-" + "9" * 5000,
    "0x" + "f" * 5000,
    "1:" * 500 + "1",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23",
    "9999-12-31",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00/9999-12-31T23",
    "2026-02-30",
    "20260304T12",
    "99990304T12",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "\0",
    "a\0b",
    "\ud800",
    "\u202e\x1b[2J\x9b",
    "../../etc/passwd",
    "/",
    "~unknown-user/x",
    "Europe",
    "Europe/Berlin",
    "[" * 5000,
    "[" * 500 + "]" * 500,
    '{"a":' * 500,
    "&a [*a]",
    "a: &a [*a]",
    "? [1]\n: 2",
    "<<: [1]",
    "!!python/object:os.system x",
    "NaN",
    "1e999",
    "http://[",
    "http://user:password@host:99999/p?q#f",
    "//127.1",
    "https://" + "a" * 70 + ".example",
    "100200/100200_2026-03-04_12#" + "9" * 5000 + ".json.gz",
    "100200/100200_9999-12-31_23#1.json.gz",
    "#.json.gz",
    "null",
    "",
    " ",
]


def odd_text(number: int) -> str:
    return ODD_TEXTS[number]


# Not sampled_from: hypothesis would print all the texts in warnings.
TEXTS = (
    st.text(max_size=30)
    | st.integers(0, len(ODD_TEXTS) - 1).map(odd_text)
    | st.text(st.characters(codec=None), max_size=8)
)
BYTES = st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
HUGE = st.sampled_from([10**400, -(10**400), 10**4299, 2**64, -1, 0])
SCALARS = st.none() | st.booleans() | st.integers() | HUGE | st.floats() | TEXTS
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
DEEP = st.integers(1, 600).map(lambda levels: json.loads("[" * levels + "]" * levels))
ANY_JSON = st.deferred(lambda: JSON_VALUES | DEEP)  # with a short repr
# A value of a Python program, which JSON cannot contain.
HUGER = st.sampled_from([10**5000, [10**5000], {"a": 10**5000}])


def objects_with(*names: str, values: st.SearchStrategy[Any] = ANY_JSON) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with some of these fields, and sometimes others."""
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    return st.tuples(known, st.dictionaries(TEXTS, values, max_size=1)).map(lambda both: both[1] | both[0])


def text_of(value: object) -> str:
    return json.dumps(value)
