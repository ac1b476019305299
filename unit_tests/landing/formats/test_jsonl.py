"""JSON Lines objects contain the records of ``read``."""

from __future__ import annotations

import errno
import gzip
import json
import tempfile
from io import BytesIO
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from hypothesis import given, settings

from source_amplitude.errors import DiskFullError
from source_amplitude.landing.formats import body as body_module
from source_amplitude.landing.formats.jsonl import Jsonl
from source_amplitude.members import Fingerprint
from unit_tests.end_to_end.connector import expected_record
from unit_tests.landing.formats.rendering import (
    CONTENTS,
    archive_of_content,
    emitted,
    event_types,
    malformed_lines,
    render,
    render_member,
)

if TYPE_CHECKING:
    from pathlib import Path

    from source_amplitude.archive import Archive


def test_sample_events_become_the_records_of_read(hour: tuple[Archive, dict[str, list[bytes]]]) -> None:
    archive, lines_by_member = hour

    for position, member in enumerate(archive.members):
        body, _ = render_member(Jsonl(), archive, position)

        records = [json.loads(line) for line in gzip.decompress(body).splitlines()]
        assert records == [expected_record(line) for line in lines_by_member[member.text]]


@given(CONTENTS)
@settings(deadline=None)
def test_any_content_becomes_the_records_of_read(content: bytes) -> None:
    body, rendered = render(Jsonl(), content)

    malformed = malformed_lines(content)
    assert gzip.decompress(body) == emitted(content)
    assert rendered.events == emitted(content).count(b"\n")
    assert rendered.content == Fingerprint(len(content), crc32(content), len(malformed))
    assert rendered.malformed_at == tuple(malformed[:5])
    assert rendered.event_types == event_types(content)


def test_malformed_lines_are_numbered_across_batches() -> None:
    good = b'{"uuid":"%s"}\n' % (b"x" * 50_000)

    _, rendered = render(Jsonl(), (good * 3 + b"{\n") * 6 + b"half a li")

    assert (rendered.events, rendered.content.malformed_lines) == (18, 7)
    assert rendered.malformed_at == (4, 8, 12, 16, 20)


def test_gzip_header_has_no_time_and_no_name() -> None:
    body, _ = render(Jsonl(), b"{}\n")

    assert (body[:4], body[4:8]) == (b"\x1f\x8b\x08\x00", b"\0\0\0\0")


@pytest.mark.parametrize("memory_bytes", [0, 1, 100, 10**6])
def test_small_and_large_objects_are_the_same(memory_bytes: int) -> None:
    parts = [b"a" * 90, b"b" * 20, b"", b"c"]

    with body_module.ObjectFile(memory_bytes) as file:
        for part in parts:
            file.write(part)
        with file.detach() as body:
            whole = body.read()

    assert whole == b"".join(parts)
    assert (file.written_bytes, file.crc32) == (len(whole), crc32(whole))


def test_large_objects_leave_no_file_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with body_module.ObjectFile(1) as file:
        file.write(b"on the disk")
        with file.detach():
            assert list(tmp_path.iterdir()) == []


class FullDisk(BytesIO):
    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_error_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullDisk())
    monkeypatch.setattr(body_module, "MEMORY_BYTES", 0)

    with archive_of_content(b"{}\n") as archive, pytest.raises(DiskFullError, match=str(tmp_path)):
        Jsonl().render(archive, archive.members[0])
