"""Lines and values that strict parsers refuse, with their records and warnings."""

from __future__ import annotations

from typing import Any

from unit_tests.conftest import NOON

AT = NOON.replace(hour=6)
STAMP = b'"server_upload_time":"2026-03-04 06:00:00.000001"'
LINES = [
    b'\xef\xbb\xbf{"uuid":"mark",%b}' % STAMP,
    b'{"uuid":"bytes","city":"\xc5rhus",%b}' % STAMP,
    b'{"uuid":"control","city":"a\x01\tb",%b}' % STAMP,
    b'{"uuid":"one",%b} {"uuid":"two",%b}{"uuid":"three",%b}' % (STAMP, STAMP, STAMP),
    b'{"uuid":"half","event_properties":{"comment":"cut \\ud83d"},%b}' % STAMP,
    b'{"uuid":"calendar","user_creation_time":"2026-02-30 00:00:00.000000","event_time":"",%b}' % STAMP,
    b'{"uuid":"types","paying":"true","data":[],"app":"1",%b}' % STAMP,
    b'{"uuid":"plain",%b}' % STAMP,
]
RECORDS: list[dict[str, Any]] = [
    record | {"server_upload_time": "2026-03-04T06:00:00.000001+00:00"}
    for record in (
        {"uuid": "mark"},
        {"uuid": "bytes", "city": "\ufffdrhus"},
        {"uuid": "control", "city": "a\x01\tb"},
        {"uuid": "one"},
        {"uuid": "two"},
        {"uuid": "three"},
        {"uuid": "half", "event_properties": {"comment": "cut \ufffd"}},
        {"uuid": "calendar", "user_creation_time": "2026-02-30 00:00:00.000000"},
        {"uuid": "types", "paying": "true", "data": [], "app": "1"},
        {"uuid": "plain"},
    )
]
MEMBER = "2026-03-04 06:00 UTC, member 100200/100200_2026-03-04_6#0.json.gz"
REPAIRED = (
    "Lines were repaired and emitted: 1 with bytes that are not UTF-8 (now U+FFFD), 1 with raw control characters "
    "(now escaped), 1 with a byte order mark (removed), 1 with several events (each emitted); first: "
    f"{MEMBER}, line 1 (a byte order mark); {MEMBER}, line 2 (bytes that are not UTF-8); {MEMBER}, line 3 (raw control "
    f"characters); {MEMBER}, line 4 (several events)."
)
WARNINGS = [
    "Lone surrogates (not valid in UTF-8) were replaced with U+FFFD: event_properties (1).",
    "Datetimes of an unknown format, or not in the calendar, were emitted unchanged: user_creation_time (1).",
    (
        "Values that do not have the declared type of their field were emitted unchanged: app is declared as integer, "
        "but was string (1); data is declared as object, but was array (1); paying is declared as boolean, but was "
        "string (1). docs/connector.md describes how typed destinations handle them."
    ),
]
