"""Lines in usual and odd forms, for tests that compare ways to encode them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from source_amplitude.records import DATETIME_FIELDS
from source_amplitude.records.declared import FIELDS

PLAIN = "2025-03-04 09:59:57.447000"
NORMAL = "2025-03-04T09:59:57.447000+00:00"

DATETIMES = st.sampled_from(
    [
        PLAIN,
        PLAIN,
        PLAIN,
        "",
        None,
        0,
        "2025-03-04 09:59:57",
        "9" * 26,
        PLAIN + "\n" + PLAIN,
        [PLAIN],
        {"a": PLAIN},
        "2025-02-29 00:00:00.000000",
        "2024-02-29 00:00:00.000000",
        "2025-12-31 24:00:00.000000",
        False,
    ]
)
MISFITS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 1, 12.0, 12.5, 2**64, "true", "", [], {}, {"version": 3}, {"version": "3"}]
)
TYPED = ["paying", "app", "session_id", "data", "plan", "os_version", "sample_rate", "uuid"]
NUMBERS = st.sampled_from([1, 1.5, -1e300, 1e16, 2**64 - 1, 2**64, -(2**63) - 1, 10**30])
TEXTS = st.sampled_from(["a+b", "e+", "1e+22", "+", "\ud800", "é 🚲", NORMAL, "\u2028", "time:1e400"])
SPELLINGS = [
    *("0", "-0", "-0.0", "1.10", "1E2", "1e+22", "12.0", "1.234567890123456789", "12345678901234567.89", "5e-324"),
    *("1e-400", "1e400", "-1E+400", "1.7976931348623157E308", "0.1e309", "1" * 250, "9" * 400 + "e-390", "9" * 4300),
    *("9" * 4301, "1" * 330 + ".5", "01", "1.", ".5", "+1", "NaN", "-Infinity"),
]
OBJECTS = [name for name, each in FIELDS.items() if dict in each.types]
BAGS = [
    *(b"null", b"{}", b"[]", b'""', b"true", b'{"a" : 1,\t"b":[ ]}', b'{"a":null}', b'{"a":1,"a":2}', b'{"version":3}'),
    *(
        b'{"version":3,"version":"3"}',
        b'{"version":%d}' % 2**70,
        b'{"a":"\xff"}',
        b'{"\xed\xa0\xbd":1}',
        b'{"a":"\\ud800"}',
    ),
    *(
        b'{"a":"\\ud83d\\ude00"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"\x01"}',
        b'{"a":"\x7f"}',
        b'{"a":1\r}',
        b'{"a":"\xc3\xa9"}',
    ),
    *(b'{"a":"\\x"}', b'{"a":1,}', b"{'a':1}", b'{"a":tru}', b'{"a":1', b"}", b'{"\\u0061":1,"a":2}', b'{"a":"1e400"}'),
    *(b"[" * depth + b"]" * depth for depth in (200, 300, 900, 1100, 5000)),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (200, 300)),
    *(b'{"a":[%b]}' % text.encode() for text in SPELLINGS),
]
UNKNOWN = ["new", "é", "a b", "f1", "event", "__class__", 'quote"', "back\\slash", "", "x" * 101]
VALUE_TEXTS = [*BAGS, *map(str.encode, SPELLINGS)]
VALUES = st.integers(0, len(VALUE_TEXTS) - 1).map(lambda at: VALUE_TEXTS[at])  # a list of long texts is slow to show
MEMBERS = (
    st.tuples(st.sampled_from(DATETIME_FIELDS), DATETIMES.map(lambda value: json.dumps(value).encode()))
    | st.tuples(st.sampled_from([*TYPED, *OBJECTS]), MISFITS.map(lambda value: json.dumps(value).encode()))
    | st.tuples(st.sampled_from([*TYPED, *OBJECTS, *UNKNOWN, "location_lat", "event_time"]), VALUES)
)
BLANKS = st.sampled_from([b"", b"", b"", b" ", b"\t", b"\r"])
WRITTEN = st.builds(
    lambda members, blank, end: (
        b"{" + b",".join(b"%b:%b%b" % (json.dumps(name).encode(), blank, value) for name, value in members) + b"}" + end
    ),
    st.lists(MEMBERS, max_size=5, unique_by=lambda member: member[0]),
    BLANKS,
    BLANKS,
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(DATETIME_FIELDS, DATETIMES),
        **dict.fromkeys(TYPED, MISFITS),
        "n": NUMBERS,
        "t": TEXTS,
        "p": st.lists(NUMBERS | TEXTS),
        "user_properties": st.dictionaries(TEXTS, st.lists(NUMBERS | TEXTS, max_size=3), max_size=3),
    },
).map(lambda event: json.dumps(event).encode())
ODD_LINES = st.sampled_from(
    [
        b"",
        b" ",
        b"[]",
        b"1",
        b"null",
        b'"event_time"',
        b"{",
        b"\xff",
        b'{"n":NaN}',
        b"true",
        b'{"t":"\xff"}',
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"\xef\xbb\xbf",
        b'{"t":"\x01"}',
        b'{"app":"1"}{"paying":"no"}',
        b'{"app":"1"} {"n":',
        b'{"t":"\xed\xa0\xbd\xed\xb8\x80"}',
        b'{"city":"\\ud800"}',
        b'{"data":{},"city":"x"}{"data":{}}',
        b'{"data":',
        b"{}}",
        b"\r",
        b'{"city":"a",\r"data":{}}\r',
    ]
)
