"""``query``: SQL on landed events, and the duckdb command for stores that are not folders."""

from __future__ import annotations

import csv
import shlex
import sys
from collections import Counter
from io import StringIO
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from source_amplitude.landing.event_view import view_columns
from source_amplitude.landing.formats import FORMAT_NAMES
from unit_tests.landing.program import HOURS, at, objects_of, stored
from unit_tests.peers.peer import Peer

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Ended, Program

BY_TYPE = "select event_type, count(*) from events group by 1"


def rows(ended: Ended) -> list[list[str]]:
    assert (ended.exit_code, ended.stderr) == (0, "")
    return list(csv.reader(StringIO(ended.stdout)))


def ask(program: Program, peer: Peer, *words: str) -> Ended:
    return program.run("query", peer, *words)


@pytest.mark.parametrize("format_", FORMAT_NAMES)
def test_every_format_has_each_event_once(half_a_day: Emulator, program: Program, folder: Peer, format_: str) -> None:
    events: list[dict[str, Any]] = [*half_a_day.store.events()]
    half_a_day.store.add_member(at(5), [*half_a_day.store.events(at(5), at(6))], partition=999)
    program.land(folder, *HOURS, "--format", format_)

    header, *found = rows(ask(program, folder, BY_TYPE))
    columns = [name for name, *_ in rows(ask(program, folder, "describe events"))[1:]]
    times = "select min(event_time)::varchar, max(session_id), typeof(any_value(event_properties)) from events"
    _, (first, session, kind) = rows(ask(program, folder, times))

    assert header == ["event_type", "count_star()"]
    assert {name: int(count) for name, count in found} == dict(Counter(event["event_type"] for event in events))
    assert columns == [*view_columns(), *(["_other"] if format_ == "parquet" else []), "date", "hour"]
    assert first[:19] == min(event["event_time"] for event in events)[:19]
    assert (int(session), kind) == (max(event["session_id"] for event in events), "JSON")


@pytest.mark.parametrize("format_", ["raw", "parquet"])
def test_copy_writes_a_file_of_a_day(
    half_a_day: Emulator, program: Program, folder: Peer, tmp_path: Path, format_: str
) -> None:
    program.land(folder, *HOURS, "--format", format_)
    day = tmp_path / "day.parquet"

    copied = rows(ask(program, folder, f"COPY (FROM events WHERE date = '2026-03-04') TO '{day}'"))

    uuids = duckdb.read_parquet(str(day)).project("uuid").fetchall()
    assert copied == [["Count"], ["320"]]
    assert sorted(uuid for (uuid,) in uuids) == sorted(str(event["uuid"]) for event in half_a_day.store.events())


@pytest.mark.usefixtures("half_a_day")
def test_folder_name_may_contain_pattern_characters(program: Program, tmp_path: Path) -> None:
    peer = Peer(str(tmp_path / "it's [a] *day"))
    program.land(peer)

    refused = program.type("query", BY_TYPE, "--from", "day?")
    assert (refused.exit_code, "--from: 'day?' contains a question mark" in refused.problem) == (2, True)
    assert rows(ask(program, peer, "select count(*) as events from events")) == [["events"], ["320"]]


@pytest.mark.usefixtures("half_a_day")
def test_malformed_lines_are_left_out(emulator: Emulator, program: Program, folder: Peer) -> None:
    lines = [b"not JSON", b"[1]", b'"text"', b'{"uuid":"a","session_id":"x"}']
    emulator.store.add_member(at(6), [], partition=998)
    emulator.store.rewrite_lines(at(6), 998, lines)
    program.land(folder)

    found = rows(ask(program, folder, "select count(*), count(session_id) from events"))

    assert found[1] == ["321", "320"]


@pytest.mark.usefixtures("half_a_day")
def test_command_without_sql_creates_the_same_view(program: Program, folder: Peer) -> None:
    program.land(folder)

    printed = shlex.split(ask(program, folder).stdout)

    program_name, option, view = printed
    with duckdb.connect() as connection:
        connection.execute(view)
        found = connection.execute("select count(*) from events").fetchall()
    assert (program_name, option, found) == ("duckdb", "-cmd", [(320,)])


@pytest.mark.usefixtures("half_a_day")
def test_cloud_store_prints_a_command_with_a_secret(program: Program, every_cloud: Peer) -> None:
    program.land(every_cloud)

    ended = ask(program, every_cloud, BY_TYPE)

    name, cmd, statements, option, sql = shlex.split(ended.stdout)
    scheme = every_cloud.url.partition("://")[0]
    kind = {"s3": "s3", "az": "azure"}[scheme]
    assert (ended.exit_code, name, cmd, option, sql) == (0, "duckdb", "-cmd", "-c", BY_TYPE)
    assert f"CREATE OR REPLACE SECRET (TYPE {kind}, PROVIDER credential_chain, " in statements
    assert f"'{every_cloud.url}/events/date=*/hour=*/*.json.gz'" in statements
    assert "CREATE OR REPLACE VIEW events AS" in statements
    secrets = [
        value for key, value in every_cloud.environ.items() if "SECRET" in key or "KEY" in key or "STRING" in key
    ]
    assert [each for each in secrets if len(each) > 8 and each in ended.stdout] == []


@pytest.mark.usefixtures("half_a_day")
def test_invalid_sql_is_reported(program: Program, folder: Peer) -> None:
    program.land(folder)

    ended = ask(program, folder, "select nonsense from events")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("source-amplitude: DuckDB cannot run the query: Binder Error: ")
    assert ended.stderr.count("\n") == 1


def test_destination_without_events_is_reported(program: Program, s3: Peer, folder: Peer) -> None:
    program.land(folder, "--start", "2026-03-04T05", "--end", "2026-03-04T06")

    ended = [ask(program, s3, BY_TYPE), ask(program, folder, BY_TYPE)]

    assert [each.exit_code for each in ended] == [1, 1]
    assert [each.problem.partition(".")[0] for each in ended] == [
        f"Nothing has been landed in {peer.url}" for peer in (s3, folder)
    ]
    assert objects_of(stored(folder)) == {}


@pytest.mark.usefixtures("half_a_day")
def test_missing_library_is_named(program: Program, folder: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    program.land(folder)
    monkeypatch.setitem(sys.modules, "duckdb", None)

    ended = ask(program, folder, BY_TYPE)

    assert ended.exit_code == 1
    assert ended.problem.startswith("query needs duckdb, which cannot be imported")
    assert "duckdb>=1.2" in ended.problem
