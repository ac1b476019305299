"""Parquet files have one schema, and every record can be restored from its row."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import tempfile
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pyarrow as pa
import pytest
from hypothesis import given, settings
from pyarrow import parquet

from source_amplitude.encoding.column_types import OTHER, Columns, column_types
from source_amplitude.errors import DiskFullError
from source_amplitude.landing.formats import body as body_module
from source_amplitude.landing.formats import format_named
from source_amplitude.landing.formats import parquet as parquet_module
from source_amplitude.members import Fingerprint
from source_amplitude.records import Oddity, OddityKind
from unit_tests.end_to_end.connector import PROJECT, expected_record
from unit_tests.landing.formats.rendering import (
    CONTENTS,
    archive_of_content,
    comparable,
    emitted,
    event_types,
    malformed_lines,
    record_of,
    render,
    render_member,
)

if TYPE_CHECKING:
    from pathlib import Path

    from source_amplitude.archive import Archive

KINDS = column_types()
PARQUET = format_named("parquet")


def rows_of(body: bytes) -> list[dict[str, Any]]:
    return parquet.read_table(pa.BufferReader(body)).to_pylist()  # type: ignore[no-any-return]


def test_sample_records_can_be_restored_from_their_rows(
    hour: tuple[Archive, dict[str, list[bytes]]],
) -> None:
    archive, lines_by_member = hour

    for position, member in enumerate(archive.members):
        body, _ = render_member(PARQUET, archive, position)

        assert [*map(record_of, rows_of(body))] == [expected_record(line) for line in lines_by_member[member.text]]


@given(CONTENTS)
@settings(deadline=None)
def test_records_can_be_restored_from_their_rows(content: bytes) -> None:
    body, rendered = render(PARQUET, content)

    records, malformed = [json.loads(line) for line in emitted(content).splitlines()], malformed_lines(content)
    assert [comparable(record_of(row)) for row in rows_of(body)] == [*map(comparable, records)]
    assert rendered.events == len(records)
    assert rendered.content == Fingerprint(len(content), crc32(content), len(malformed))
    assert rendered.malformed_at == tuple(malformed[:5])
    assert rendered.event_types == event_types(content)


def test_misfit_values_are_in_the_other_column() -> None:
    event = {
        "uuid": "u",
        "amplitude_id": 2**63,
        "app": "100200",
        "city": "\ud800",
        "event_id": True,
        "event_time": "0000-01-01 00:00:00.000000",
        "client_event_time": "2026-03-04 09:59:57.447000",
        "data": {"a": [2**70]},
        "location_lat": 2**53 + 1,
        "paying": "true",
        "sample_rate": 0.5,
        "session_id": -1,
        "new": [None],
        "device_id": None,
    }

    body, rendered = render(PARQUET, json.dumps(event).encode())

    (row,) = rows_of(body)
    assert json.loads(row.pop(OTHER)) == {
        "amplitude_id": 2**63,
        "app": "100200",
        "event_id": True,
        "event_time": "0000-01-01 00:00:00.000000",
        "location_lat": 2**53 + 1,
        "new": [None],
        "paying": "true",
    }
    assert row.pop("client_event_time").isoformat() == "2026-03-04T09:59:57.447000+00:00"
    assert {name: value for name, value in row.items() if value is not None} == {
        "uuid": "u",
        "city": "\ufffd",
        "data": '{"a":[1180591620717411303424]}',
        "sample_rate": "0.5",
        "session_id": -1.0,
    }
    unfit = ("amplitude_id", "app", "event_id", "event_time", "location_lat", "paying")
    assert rendered.findings.counts == {
        Oddity(OddityKind.SURROGATE, "city"): 1,
        Oddity(OddityKind.UNREAD_DATETIME, "event_time"): 1,
        Oddity(OddityKind.MISFIT, "app", "integer", "string"): 1,
        Oddity(OddityKind.MISFIT, "event_id", "integer", "boolean"): 1,
        Oddity(OddityKind.MISFIT, "paying", "boolean", "string"): 1,
        **{Oddity(OddityKind.IN_OTHER, name): 1 for name in unfit},
    }


def test_too_deeply_nested_lines_are_malformed() -> None:
    deep = b"[" * 1010 + b"]" * 1010  # too deep for Python's json module up to 3.12
    content = b"\n".join([b'{"%s":%s}' % (name, deep) for name in (b"data", b"new", b"app", b"paying")] + [b"{}"])

    _, rendered = render(PARQUET, content)

    assert rendered.malformed_at == tuple(malformed_lines(content))
    assert rendered.events == emitted(content).count(b"\n")


def test_every_file_has_all_columns_of_the_schema() -> None:
    schemas = [
        parquet.read_schema(pa.BufferReader(render(PARQUET, content)[0])) for content in (b"", b"{}\n", b'{"a":1}\n')
    ]

    assert schemas == [Columns(is_typed_strictly=True).schema] * 3
    assert schemas[0].names == [*KINDS, OTHER]


def test_row_groups_have_a_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "_CHUNK_BYTES", 1000)
    monkeypatch.setattr(parquet_module, "_ROW_GROUP_BYTES", 20_000)
    content = b"".join(b'{"uuid":"%0100d"}\n' % number for number in range(500))

    body, _ = render(PARQUET, content)

    metadata = parquet.read_metadata(pa.BufferReader(body))
    row_counts = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert [row["uuid"] for row in rows_of(body)] == [f"{number:0100d}" for number in range(500)]
    assert len(row_counts) > 3
    assert max(row_counts) < 200


class FullDisk(BytesIO):
    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_error_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullDisk())
    monkeypatch.setattr(body_module, "MEMORY_BYTES", 0)

    with archive_of_content(b"{}\n") as archive, pytest.raises(DiskFullError, match=str(tmp_path)):
        PARQUET.render(archive, archive.members[0])


def test_error_without_pyarrow_has_the_install_command() -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from source_amplitude.errors import MissingExtraError\n"
        "from source_amplitude.landing.formats import format_named\n"
        "format_named('jsonl')\n"
        "try: format_named('parquet')\n"
        "except MissingExtraError as error: print(error.advice)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, check=True)

    installs = f"{sys.executable} -m pip install 'pyarrow>=18.0'"
    assert done.stdout.decode() == f"Run {installs} and then the command again.\n"
