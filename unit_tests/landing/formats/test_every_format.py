"""Tests of all formats: verification before output, determinism, threads, DuckDB."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from zlib import crc32

import duckdb
import pytest

from source_amplitude.errors import CorruptArchiveError, InvalidConfigError
from source_amplitude.landing.formats import FORMAT_NAMES, Format, format_named
from unit_tests.landing.formats.rendering import MEMBER, archive_of, render_member

if TYPE_CHECKING:
    from pathlib import Path

    from source_amplitude.archive import Archive

Hour = tuple["Archive", dict[str, list[bytes]]]


@pytest.fixture(params=["raw", "jsonl", "parquet"])
def format_(request: pytest.FixtureRequest) -> Format:
    return format_named(str(request.param))


@pytest.mark.parametrize(
    ("name", "format_", "suffix"),
    [
        ("raw", "raw", ".json.gz"),
        ("jsonl", "jsonl", ".jsonl.gz"),
        ("parquet", "parquet", ".parquet"),
        ("json", "raw", ".json.gz"),
    ],
)
def test_each_format_name_has_a_format(name: str, format_: str, suffix: str) -> None:
    found = format_named(name)

    assert (found.name, found.suffix) == (format_, suffix)
    assert name in FORMAT_NAMES


def test_unknown_format_error_lists_the_known_ones() -> None:
    with pytest.raises(InvalidConfigError) as refused:
        format_named("csv")

    assert refused.value.problems == ("--format: must be one of raw, jsonl, parquet, json, not 'csv'",)


def test_counts_and_checksums_match_the_object(format_: Format, hour: Hour) -> None:
    archive, lines_by_member = hour

    for position, member in enumerate(archive.members):
        body, rendered = render_member(format_, archive, position)

        content = b"".join(line + b"\n" for line in lines_by_member[member.text])
        assert (rendered.object_bytes, rendered.crc32) == (len(body), crc32(body))
        assert rendered.events == len(lines_by_member[member.text])
        assert (rendered.content.content_bytes, rendered.content.crc32) == (len(content), crc32(content))


def test_rendering_is_deterministic(format_: Format, hour: Hour) -> None:
    archive, _ = hour

    assert render_member(format_, archive)[0] == render_member(format_, archive)[0]


def test_several_threads_can_render_one_archive(format_: Format, hour: Hour) -> None:
    archive, _ = hour
    positions = [*range(len(archive.members))] * 4
    one_by_one = [render_member(format_, archive, position)[0] for position in positions]

    with ThreadPoolExecutor(8) as pool:
        at_once = [body for body, _ in pool.map(lambda position: render_member(format_, archive, position), positions)]

    assert at_once == one_by_one


@pytest.mark.parametrize("damage", ["trailer", "cut", "content", "empty"])
def test_corrupt_member_yields_no_object(format_: Format, damage: str) -> None:
    packed = gzip.compress(b"".join(b'{"uuid":"%d"}\n' % number for number in range(20_000)))
    middle = len(packed) // 2
    damaged = {
        "trailer": packed[:-8] + b"\0" * 4 + packed[-4:],
        "cut": packed[:-9],
        "content": packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :],
        "empty": b"",
    }[damage]

    with archive_of({MEMBER: damaged}) as archive, pytest.raises(CorruptArchiveError):
        format_.render(archive, archive.members[0])


def test_empty_member_becomes_an_object_without_events(format_: Format) -> None:
    with archive_of({MEMBER: gzip.compress(b"")}) as archive:
        _, rendered = render_member(format_, archive)

    assert (rendered.events, rendered.event_types, rendered.malformed_at) == (0, {}, ())


def test_duckdb_reads_the_objects_as_one_table(format_: Format, hour: Hour, tmp_path: Path) -> None:
    archive, lines_by_member = hour
    folder = tmp_path / "events" / "date=2026-03-04" / "hour=05"
    folder.mkdir(parents=True)
    for position in range(len(archive.members)):
        (folder / f"{position}{format_.suffix}").write_bytes(render_member(format_, archive, position)[0])

    reader = "read_parquet" if format_.name == "parquet" else "read_json"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT date::text, hour::int, count(*), count(DISTINCT uuid) "  # noqa: S608 - our own names
            f"FROM {reader}('{tmp_path}/events/*/*/*{format_.suffix}', hive_partitioning = true) GROUP BY ALL"
        ).fetchall()

    events = sum(map(len, lines_by_member.values()))
    assert rows == [("2026-03-04", 5, events, events)]
