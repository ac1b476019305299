"""Archives to render, the records that ``read`` emits from them, and odd but valid JSON lines."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from source_amplitude.archive import Archive, open_archive
from source_amplitude.encoding import JsonLines
from source_amplitude.encoding.column_types import OTHER, ColumnType, column_types
from unit_tests.rows.json_values import ANY_JSON

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from source_amplitude.landing.formats import Format, Rendered

Record = dict[str, Any]

KINDS = column_types()
MEMBER = "100200/100200_2026-03-04_5#1.json.gz"

_TIMES = st.sampled_from(
    ["2026-03-04 09:59:57.447000", "2026-02-30 00:00:00.000000", "2026-03-04", "0000-01-01 00:00:00.000000", "never"]
)
_TEXTS = st.sampled_from(["", "checkout", "event_type", '"event_type":"x"', "\x00", "\ud83d", "🚀"])
_NUMBERS = st.sampled_from([0, -1, 2**53 + 1, -(2**63), 2**63, 2**64, -0.0, 1.5, 1e300])
_VALUES = ANY_JSON | _TIMES | _TEXTS | _NUMBERS
_EVENTS = st.dictionaries(st.sampled_from([*column_types(), "_other", "new", "🚀"]), _VALUES, max_size=12)
_ODD_LINES = st.sampled_from([b"", b" \t", b"\r", b"{", b"[1]", b"nul", b'"text"', b"\xff\x00", b'{"event_type":"x"'])
_LINES = st.builds(
    lambda event, is_ascii: json.dumps(event, ensure_ascii=is_ascii).encode(errors="surrogatepass"),
    _EVENTS,
    st.booleans(),
)
CONTENTS = st.builds(
    lambda lines, end: b"\n".join(lines) + end,
    st.lists(_LINES | _ODD_LINES, max_size=6),
    st.sampled_from([b"", b"\n", b"\n\n"]),
)


def archive_of(members: dict[str, bytes]) -> Archive:
    """Return an archive of packed members by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip_file:
        for name, packed in members.items():
            zip_file.writestr(name, packed)
    return open_archive(file)


def archive_of_content(content: bytes) -> Archive:
    """Return an archive of one member."""
    return archive_of({MEMBER: gzip.compress(content)})


def archive_of_hour(emulator: Emulator, events: int) -> tuple[Archive, dict[str, list[bytes]]]:
    """Return sample events as an archive, and the stored lines of each member."""
    from unit_tests.conftest import NOON, fill  # noqa: PLC0415 - fixtures, only for these tests

    fill(emulator, 5, 6, events_per_hour=events)
    hour = NOON.replace(hour=5)
    members = {str(each.name): emulator.store.read(each.name) or b"" for each in emulator.store.members(hour, NOON)}
    return archive_of(members), {name: gzip.decompress(packed).splitlines() for name, packed in members.items()}


def render(format_: Format, content: bytes) -> tuple[bytes, Rendered]:
    """Return the object made from a member with ``content``, and its counts; its body is closed."""
    with archive_of_content(content) as archive:
        return render_member(format_, archive)


def render_member(format_: Format, archive: Archive, position: int = 0) -> tuple[bytes, Rendered]:
    """Return the object made from a member of an archive, and its counts; its body is closed."""
    rendered = format_.render(archive, archive.members[position])
    with rendered.body as body:
        return body.read(), rendered


def emitted(content: bytes) -> bytes:
    """Return the records that ``read`` emits from ``content``."""
    return JsonLines(b"").encode(content, b"\n").payload


def malformed_lines(content: bytes) -> list[int]:
    """Return the line numbers, from 1, of the lines that ``read`` counts as malformed."""
    return [position + 1 for position in JsonLines(b"").encode(content, b"\n").malformed]


def event_types(content: bytes) -> dict[str, int]:
    """Count the records that ``read`` emits by type, with Python's json module."""
    found: dict[str, int] = {}
    for line in emitted(content).splitlines():
        kind = json.loads(line).get("event_type")
        if isinstance(kind, str):
            found[kind] = found.get(kind, 0) + 1
    return found


def record_of(row: dict[str, Any]) -> Record:
    """Return the record that a row was made from."""
    record: Record = {}
    for name, value in row.items():
        if value is None or name == OTHER:
            continue
        if KINDS[name] is ColumnType.TIME:
            record[name] = value.isoformat(timespec="microseconds")
        else:
            record[name] = json.loads(value) if KINDS[name] is ColumnType.JSON else value
    return {**record, **json.loads(row[OTHER] or "{}")}


def comparable(record: Record) -> str:
    """Return a record as text, so that 1 differs from true; numbers of float columns are floats."""
    same = {
        name: float(value)
        if KINDS.get(name) is ColumnType.NUMBER and type(value) is int and abs(value) <= 2**53
        else value
        for name, value in record.items()
    }
    return json.dumps(same, sort_keys=True)
