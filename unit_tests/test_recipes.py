"""The recipes of docs/recipes run unchanged, against the emulator and a folder."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from amplitude_emulator import generate_hours
from unit_tests.conftest import NOON
from unit_tests.landing.program import COMMAND, PROJECT, objects_of, oracle, stored
from unit_tests.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amplitude_emulator import Emulator

RECIPES = PROJECT / "docs" / "recipes"
PAGES = ("README.md", "docs/landing.md", *(f"docs/recipes/{path.name}" for path in sorted(RECIPES.glob("*.md"))))
EVENTS = 900
HOUR = timedelta(hours=1)
TIMEOUT_SECONDS = 60


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


class Desk:
    """A machine for recipes: the command on its PATH, a configuration, a folder to land in."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator = emulator
        self.folder = folder
        self.landed = folder / "landed"
        programs = folder / "bin"
        programs.mkdir()
        command = programs / "source-amplitude"
        command.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(COMMAND)])} "$@"\n')
        command.chmod(0o755)
        self.configure()
        self.environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TMPDIR": str(folder),
            "AMPLITUDE_API_URL": emulator.url,
            "AMPLITUDE_CONFIG": str(folder / "config.yaml"),
            "LANDING_NOW": NOON.isoformat(),
            "LANDING_PLACE": str(self.landed),
            "LANDING_DAYS": "2",
        }

    def configure(self, **changes: str) -> None:
        project = self.emulator.project
        base = {"api_key": project.api_key, "secret_key": project.secret_key, "start_date": "2026-03-01T00:00:00Z"}
        (self.folder / "config.yaml").write_text(json.dumps(base | changes))

    def run(self, script: str, **environ: str) -> tuple[int, str]:
        """Run a script as cron does; return its exit code and its output."""
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def objects(self) -> dict[str, bytes]:
        """Return the landed objects, without manifests."""
        return objects_of(stored(Peer(str(self.landed))))


@pytest.fixture
def desk(emulator: Emulator, tmp_path: Path) -> Desk:
    start, end = NOON - timedelta(days=3), NOON - timedelta(hours=2)
    generate_hours(emulator.store, seed=5, start=start, end=end, total_events=EVENTS)
    return Desk(emulator, tmp_path)


def open_hours(emulator: Emulator) -> list[tuple[datetime, str]]:
    """Return the hours without files that have been due for less than a day, as a manifest has them."""
    ours = [NOON - timedelta(hours=age) for age in range(26, 2, -1)]
    return [(hour.replace(tzinfo=None), "open") for hour in ours if not emulator.store.members(hour, hour + HOUR)]


# Cron

needs_flock = pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed (util-linux)")


@pytest.fixture
def script() -> str:
    (found,) = blocks("docs/recipes/cron.md", "bash")
    return found


@needs_flock
def test_cron_lands_new_hours_and_prints_nothing(desk: Desk, script: str) -> None:
    first = desk.run(script)
    second = desk.run(script)

    assert (first, second) == ((0, ""), (0, ""))
    assert desk.objects() == oracle(desk.emulator.store, NOON - timedelta(days=2))
    assert "Up to date: " in (desk.folder / "land-amplitude.log").read_text().splitlines()[-2]


@needs_flock
def test_cron_lands_deleted_objects_again(desk: Desk, script: str) -> None:
    desk.run(script)
    shutil.rmtree(desk.landed / "events" / "date=2026-03-03" / "hour=05")

    ended = desk.run(script)

    assert ended == (0, "")
    assert desk.objects() == oracle(desk.emulator.store, NOON - timedelta(days=2))


@needs_flock
def test_cron_reports_failures_and_missing_hours(desk: Desk, script: str) -> None:
    desk.run(script)
    shutil.rmtree(desk.landed / "events" / "date=2026-03-03" / "hour=05")
    desk.configure(secret_key="another")

    exit_code, output = desk.run(script)

    assert exit_code == 1
    reason, title, hour, *_ = output.splitlines()
    assert reason.startswith("source-amplitude: Amplitude rejected the API keys")
    assert title == f"Hours are missing in {desk.landed}:"
    assert hour.startswith("2026-03-03T05\t2026-03-03T06\t1\tshort\t")
    assert "\nland ended with 1, missing with 1. The end of " in output


@needs_flock
def test_cron_reports_that_it_could_not_look(desk: Desk, script: str) -> None:
    desk.landed.write_text("not a folder")

    exit_code, output = desk.run(script)

    assert (exit_code, output.startswith(f"source-amplitude: Folder {desk.landed} cannot be created ")) == (1, True)
    assert "\nland ended with 1, missing with 3. The end of " in output


@needs_flock
def test_cron_does_not_start_beside_a_running_landing(desk: Desk, script: str) -> None:
    lock = desk.folder / "land-amplitude.log.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        ended = desk.run(script)

    assert ended == (75, f"The previous run is not finished; see {desk.folder}/land-amplitude.log.\n")
    assert not desk.landed.exists()


def test_crontab_sets_the_required_variables(script: str) -> None:
    (crontab,) = blocks("docs/recipes/cron.md", "crontab")
    *settings, job = crontab.splitlines()

    named = {line.partition("=")[0] for line in settings}

    assert set(re.findall(r"\$\{(\w+):\?", script)) == {"AMPLITUDE_CONFIG", "LANDING_PLACE"} <= named
    assert re.fullmatch(r"\d+ \* \* \* \* /\S+/land-amplitude\.sh", job)


# Airflow and Dagster are too heavy to be installed here


def parts_of(page: str, *names: str, **others: object) -> dict[str, Any]:
    """Return these definitions of a page's Python, with `others` in place of its imports."""
    (source,) = blocks(page, "python")
    tree = ast.parse(source)
    compile(tree, page, "exec")
    wanted = [node for node in tree.body if names_of(node) & set(names)]
    found: dict[str, Any] = dict(others)
    exec(compile(ast.Module(wanted, []), page, "exec"), found)  # noqa: S102 - our own document
    return found


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    return {each.id for each in node.targets if isinstance(each, ast.Name)} if isinstance(node, ast.Assign) else set()


@pytest.fixture
def airflow() -> dict[str, Any]:
    names = ("WINDOW", "LAND", "CHECK", "windows")
    return parts_of("docs/recipes/airflow.md", *names, datetime=datetime, timedelta=timedelta)


@pytest.mark.parametrize(
    ("end", "hours", "expected"),
    [
        ("2026-03-04T00", 24, ["2026-03-02T00 2026-03-03T00", "2026-03-03T00 2026-03-04T00"]),
        ("2026-03-03T07", 24, ["2026-03-02T00 2026-03-03T00", "2026-03-03T00 2026-03-03T07"]),
        ("2026-03-02T02", 1, ["2026-03-02T00 2026-03-02T01", "2026-03-02T01 2026-03-02T02"]),
        ("2026-03-02T00", 24, []),
    ],
)
def test_airflow_windows_cover_their_range_once(
    airflow: dict[str, Any], end: str, hours: int, expected: list[str]
) -> None:
    start, before = (datetime.strptime(text, "%Y-%m-%dT%H") for text in ("2026-03-02T00", end))  # noqa: DTZ007 - as there

    cut = airflow["windows"](start, before, hours)

    assert [" ".join([each["WINDOW_START"], each["WINDOW_END"]]) for each in cut] == expected


def test_airflow_commands_land_and_check_each_window(desk: Desk, airflow: dict[str, Any]) -> None:
    midnight = datetime(2026, 3, 4, tzinfo=timezone.utc)
    cut = airflow["windows"](midnight - timedelta(days=2), midnight, 24)

    ended = [desk.run(airflow["LAND"], **window)[0] for window in cut]
    span = {"WINDOW_START": cut[0]["WINDOW_START"], "WINDOW_END": cut[-1]["WINDOW_END"]}
    check, output = desk.run(airflow["CHECK"], **span)

    assert (ended, check) == ([0, 0], 0), output
    assert desk.objects() == oracle(desk.emulator.store, midnight - timedelta(days=2), midnight)


class Failure(Exception):  # noqa: N818 - Dagster's name
    """A substitute for Dagster's."""


@pytest.fixture
def dagster_land(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    for name, value in desk.environ.items():
        monkeypatch.setenv(name, value)
    framework = SimpleNamespace(Failure=Failure, MaterializeResult=lambda metadata: metadata)
    land = parts_of("docs/recipes/dagster.md", "land", os=os, subprocess=subprocess, dg=framework)["land"]
    log = SimpleNamespace(info=[].append)
    return lambda *options: land(log, *options)


def test_dagster_command_lands_an_hour(desk: Desk, dagster_land: Callable[..., dict[str, str]]) -> None:
    hour = NOON.replace(hour=5)

    metadata = dagster_land("--start", "2026-03-04T05", "--end", "2026-03-04T06", "--only-missing")

    assert metadata["summary"].startswith(f"{desk.landed}, 2026-03-04 05:00 UTC: ")
    assert desk.objects() == oracle(desk.emulator.store, hour, hour + HOUR)


def test_failed_dagster_partition_reports_the_reason(desk: Desk, dagster_land: Callable[..., dict[str, str]]) -> None:
    desk.configure(secret_key="another")

    with pytest.raises(Failure, match=r"land ended with 1: .*Amplitude rejected the API keys"):
        dagster_land("--start", "2026-03-04T05", "--end", "2026-03-04T06", "--only-missing")


# DuckDB


class Answers:
    """DuckDB's results of the recipe's blocks, in their order, in the folder that contains `landed`."""

    def __init__(self, folder: Path) -> None:
        self._connection = duckdb.connect(str(folder / "events.duckdb"))
        self._blocks = blocks("docs/recipes/duckdb.md", "sql")
        self.answers: dict[str, list[tuple[Any, ...]]] = {}

    def ask(self) -> None:
        for block in self._blocks:
            self.answers[block] = self._connection.execute(block).fetchall()

    def to(self, part: str) -> list[tuple[Any, ...]]:
        """Return the result of the one block that contains a text."""
        (answer,) = [answer for block, answer in self.answers.items() if part in block]
        return answer


@pytest.fixture
def duck(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Answers:
    monkeypatch.chdir(desk.folder)
    land = 'source-amplitude land --config "$AMPLITUDE_CONFIG" --start 3d'
    others = (f"{land} --to landed-{form} --format {form}" for form in ("parquet", "jsonl"))
    script = " && ".join([f"{land} --to landed", f"{land} --to landed --end today --format json", *others])
    ended, output = desk.run(script)
    assert ended == 0, output
    return Answers(desk.folder)


def test_duckdb_finds_each_event_once(desk: Desk, duck: Answers) -> None:
    events: list[dict[str, Any]] = [*desk.emulator.store.events(NOON - timedelta(days=3), NOON)]
    midnight = NOON.replace(hour=0)
    plays = Counter(each["event_properties"]["title"] for each in events if each["event_type"] == "Song Played")

    duck.ask()

    assert sum(count for _, count, _ in duck.to("count(DISTINCT user_id)")) == len(events)
    assert duck.to("HAVING times > 1") == []
    assert duck.to("LEFT JOIN (SELECT") == []
    assert duck.to("generate_series") == open_hours(desk.emulator)
    assert duck.to("COPY") == [(len(events),)]
    assert sum(count for _, count, _ in duck.to("in_time")) == len(events)
    assert duck.to("AS different") == [(len(desk.emulator.store.events(NOON - timedelta(days=3), midnight)),) * 2]
    assert {field for (field,) in duck.to("json_keys")} == {field for event in events for field in event}
    assert [count for _, count in duck.to("FROM 'landed-parquet/events")] == [
        count for _, count in plays.most_common(5)
    ]
    assert 0 < sum(count for _, count in duck.to("hour < 12")) < plays.total()


def test_duckdb_finds_hours_without_files_or_manifest(desk: Desk, duck: Answers) -> None:
    five, six = NOON.replace(hour=5, tzinfo=None), NOON.replace(hour=6, tzinfo=None)
    events = len(desk.emulator.store.events(NOON.replace(hour=5), NOON.replace(hour=6)))
    shutil.rmtree(desk.landed / "events" / "date=2026-03-04" / "hour=05")
    (desk.landed / "_manifest" / "date=2026-03-04" / "hour=06.json").unlink()

    duck.ask()

    assert duck.to("LEFT JOIN (SELECT") == [(five, events, 0)]
    assert duck.to("generate_series") == sorted([*open_hours(desk.emulator), (six, "missing")])


# Replacing scripts


def test_script_replacement_writes_a_local_array(desk: Desk) -> None:
    *_, command = blocks("docs/recipes/from-scripts.md", "sh")
    yesterday = NOON.replace(hour=0) - timedelta(days=1)

    ended, output = desk.run(command)

    records = json.loads((desk.landed / "json" / "date=2026-03-03.json").read_bytes())
    expected = {event["uuid"] for event in desk.emulator.store.events(yesterday, yesterday + timedelta(days=1))}
    assert ended == 0, output
    assert (len(records), {record["uuid"] for record in records}) == (len(expected), expected)


@pytest.mark.parametrize(("position", "store"), [(0, "s3"), (1, "azure")])
def test_script_replacement_lands_three_days(
    desk: Desk, position: int, store: str, request: pytest.FixtureRequest
) -> None:
    peer: Peer = request.getfixturevalue(store)
    block = blocks("docs/recipes/from-scripts.md", "sh")[position]
    commands = [line for line in block.splitlines() if not line.startswith("export ")]
    script = " &&\n".join(re.sub(r"(s3|az)://your-\S+", peer.url, line) for line in commands)

    ended, output = desk.run(script, **peer.environ)

    assert ended == 0, output
    assert objects_of(stored(peer)) == oracle(desk.emulator.store)


# Every page


def commands_in(page: str) -> list[list[str]]:
    """Return a page's commands `land`, `missing`, `query` and `report`, as words."""
    text = (PROJECT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.findall(r"source-amplitude\"?,? \"?((?:land|missing|query|report)\b[^`|;#\n]*)", text)
    words = []
    for command in found:
        with suppress(ValueError):  # a part of a program
            words.append(shlex.split(command))
    return words


@pytest.mark.parametrize("page", PAGES)
def test_every_shown_option_exists(page: str) -> None:
    helps = {
        command: subprocess.run(
            [sys.executable, "-c", "import sys; from source_amplitude.run import run; sys.exit(run())", command, "-h"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for command in {words[0] for words in commands_in(page)}
    }

    shown = {(words[0], word) for words in commands_in(page) for word in words if word.startswith("--")}

    assert [each for each in sorted(shown) if not re.search(rf"{each[1]}\b", helps[each[0]])] == []
