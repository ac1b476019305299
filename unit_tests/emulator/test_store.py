from __future__ import annotations

import gzip
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator.blobs import Blobs, DirectoryBlobs, MemoryBlobs
from amplitude_emulator.store import HourStore, encode_line

if TYPE_CHECKING:
    from pathlib import Path

NINE = datetime(2026, 3, 4, 9, tzinfo=timezone.utc)
TEN = NINE + timedelta(hours=1)


@pytest.fixture(params=["memory", "disk"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return MemoryBlobs() if request.param == "memory" else DirectoryBlobs(tmp_path)


@pytest.fixture
def store(blobs: Blobs) -> HourStore:
    return HourStore(100200, blobs)


def read(store: HourStore, hour: datetime, partition: int) -> bytes:
    data = store.read(store.member(hour, partition).name)
    assert data is not None
    return data


def test_new_member_holds_its_lines_with_a_trailing_newline(store: HourStore) -> None:
    member = store.add_member(NINE.replace(minute=59), [b'{"b":1}', {"z": "é", "a": None}], 627)

    assert str(member.name) == "100200/100200_2026-03-04_9#627.json.gz"
    assert gzip.decompress(read(store, NINE, 627)) == '{"b":1}\n{"a":null,"z":"é"}\n'.encode()
    assert store.events() == [{"b": 1}, {"a": None, "z": "é"}]


def test_default_partitions_have_gaps(store: HourStore) -> None:
    names = [store.add_member(NINE, [b"{}"]).name.partition for _ in range(3)]

    assert names == [0, 7, 14]


def test_adding_a_member_twice_is_refused(store: HourStore) -> None:
    store.add_member(NINE, [b"{}"], 70)

    with pytest.raises(ValueError, match=r"100200_2026-03-04_9#70\.json\.gz already exists"):
        store.add_member(NINE, [b"{}"], 70)


def test_appended_lines_follow_in_one_gzip_stream(store: HourStore) -> None:
    before = store.add_member(NINE, [b'{"n":1}'], 70)
    store.append_lines(NINE, 70, [b'{"n":2}'])
    store.append_lines(NINE, 70, [b'{"n":3}'])

    assert store.lines() == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    assert read(store, NINE, 70) == gzip.compress(b'{"n":1}\n{"n":2}\n{"n":3}\n', 6, mtime=0)
    assert store.member(NINE, 70).revision > before.revision


def test_append_creates_a_missing_member(store: HourStore) -> None:
    store.append_lines(NINE, 70, [b"{}"])

    assert store.lines() == [b"{}"]


def test_rewritten_member_has_only_the_new_lines(store: HourStore) -> None:
    store.add_member(NINE, [b'{"n":1}', b'{"n":2}'], 70)
    store.rewrite_lines(NINE, 70, [b'{"n":9}'])

    assert store.lines() == [b'{"n":9}']


def test_rewriting_a_missing_member_is_an_error(store: HourStore) -> None:
    with pytest.raises(KeyError):
        store.rewrite_lines(NINE, 70, [b"{}"])


def test_recompress_changes_bytes_but_not_content(store: HourStore) -> None:
    store.add_member(NINE, [b'{"n":1}'] * 50, 70)
    versions = [read(store, NINE, 70)]
    for _ in range(2):
        store.recompress(NINE, 70)
        versions.append(read(store, NINE, 70))

    assert len(set(versions)) == 3
    assert len({gzip.decompress(version) for version in versions}) == 1


def test_raw_content_and_raw_bytes_are_kept(store: HourStore) -> None:
    store.put_content(NINE, 1, b'{"cut":')
    store.put_gzip(NINE, 2, b"no gzip at all")

    assert gzip.decompress(read(store, NINE, 1)) == b'{"cut":'
    assert read(store, NINE, 2) == b"no gzip at all"
    assert store.lines() == [b'{"cut":']


def test_removed_member_is_missing(store: HourStore) -> None:
    name = store.add_member(NINE, [b"{}"], 70).name
    store.remove_member(NINE, 70)

    assert (store.members(), store.lines(), store.read(name)) == ([], [], None)


def test_members_are_selected_by_hour_in_archive_order(store: HourStore) -> None:
    for hour in (TEN, NINE):
        for partition in (70, 627):
            store.add_member(hour, [b"{}"], partition)

    selected = [(member.name.hour, member.name.partition) for member in store.members(NINE, TEN)]

    assert selected == [(NINE, 627), (NINE, 70)]
    assert len(store.members()) == 4


def test_any_hour_selects_the_day_files(store: HourStore) -> None:
    noon = datetime(2013, 5, 6, 12, tzinfo=timezone.utc)
    member = store.add_member(noon, [b"{}"], 1)

    assert str(member.name) == "100200/100200_2013-05-06_0#1.json.gz"
    assert store.members(noon, noon + timedelta(hours=1)) == [member]


def test_an_hour_can_have_its_own_publishing_time(store: HourStore) -> None:
    delay = timedelta(hours=3)
    store.publish_at(NINE, NINE + timedelta(days=2))

    assert store.published_from(NINE, delay) == NINE + timedelta(days=2)
    assert store.published_from(TEN, delay) == TEN + delay

    store.publish_at(NINE, None)

    assert store.published_from(NINE, delay) == NINE + delay


def test_clear_removes_everything(store: HourStore, blobs: Blobs) -> None:
    store.add_member(NINE, [b"{}"], 70)
    store.clear()

    assert (store.members(), blobs.names(), store.stored_bytes) == ([], [], 0)


def test_members_on_disk_survive_a_restart(tmp_path: Path) -> None:
    first = HourStore(100200, DirectoryBlobs(tmp_path))
    first.add_member(NINE, [b'{"n":1}'], 70)
    first.append_lines(NINE, 70, [b'{"n":2}'])
    (tmp_path / "100200" / "notes.txt").write_text("not a member")

    second = HourStore(100200, DirectoryBlobs(tmp_path))

    assert (tmp_path / "100200" / "100200_2026-03-04_9#70.json.gz").exists()
    assert second.lines() == [b'{"n":1}', b'{"n":2}']
    assert HourStore(300400, DirectoryBlobs(tmp_path)).members() == []


def test_lines_can_contain_line_breaks_and_surrogates() -> None:
    event = {"text": "a\u0085b\u2028c", "lone": "\ud83d"}
    store = HourStore(100200, MemoryBlobs())
    store.add_member(NINE, [event, {"text": "a\u2028b"}])

    assert store.events() == [event, {"text": "a\u2028b"}]
    assert encode_line(event) == b'{"lone":"\\ud83d","text":"a\\u0085b\\u2028c"}'
