"""The programs in docs/spark.md and its recipes run unchanged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration_tests.environments import PROJECT
from integration_tests.spark.conftest import FIRST, NOON
from unit_tests.documents.blocks import blocks, page, rows, section

if TYPE_CHECKING:
    from pathlib import Path

    from integration_tests.spark.desk import Desk

pytestmark = [pytest.mark.spark, pytest.mark.timeout(300)]

NEWEST_END = NOON - timedelta(hours=2)
INSTALL_SECONDS = 300
PROGRAM_SECONDS = 150
OF_THE_RUNTIME = {"cloudpickle", "numpy", "py4j", "pyarrow", "pyspark"}  # and their own imports, if installed


def programs(name: str, title: str = "") -> list[str]:
    text = page(name)
    return [block.text for block in blocks(section(text, title) if title else text, "python")]


def run(desk: Desk, program: str, **environ: str) -> str:
    """Run a program in the user's folder, the base of Spark's relative paths, and return its output."""
    path = desk.folder / "program.py"
    path.write_text(program, encoding="utf-8")
    project = desk.emulator.project
    keys = {"AMPLITUDE_API_KEY": project.api_key, "AMPLITUDE_SECRET_KEY": project.secret_key}
    # The default of 200 shuffle partitions takes a minute on two processors for a few rows.
    small = {"PYSPARK_SUBMIT_ARGS": "--conf spark.sql.shuffle.partitions=2 --conf spark.ui.enabled=false pyspark-shell"}
    ended = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, **keys, **small, **environ},
        cwd=desk.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PROGRAM_SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def uuids(desk: Desk) -> list[str]:
    """Return the UUIDs of all published events, in order."""
    return sorted(str(event["uuid"]) for event in desk.emulator.store.events(FIRST, NEWEST_END))


def uuids_in(desk: Desk, table: str) -> list[str]:
    return sorted(row.uuid for row in desk.spark.read.parquet(str(desk.folder / table)).select("uuid").collect())


def test_the_programs_of_the_page_run(desk: Desk) -> None:
    run(desk, "\n".join(programs("spark.md")))

    day = sorted(str(event["uuid"]) for event in desk.emulator.store.events(FIRST, FIRST + timedelta(days=1)))
    assert uuids_in(desk, "events/date=2026-03-03") == day
    assert uuids_in(desk, "all_events") == uuids(desk)
    windows = [(seen.query["start"], seen.query["end"]) for seen in desk.emulator.requests]
    assert ("20260303T06", "20260303T08") in windows


def test_the_page_names_every_option_with_its_default() -> None:
    from source_amplitude.spark.options import OPTION_NAMES, parse_options  # noqa: PLC0415 - as in the other files

    table = rows(section(page("spark.md"), "Options"))[1:]
    named = {name: row[1].strip("`") for row in table for name in re.findall(r"`(\w+)`", row[0])}
    given = {"api_key": "a-key", "secret_key": "a-secret", "start_date": "2026-03-03"}
    defaults = parse_options({**given, **{name: text for name, text in named.items() if text not in NOT_A_DEFAULT}})

    assert named.keys() == set(OPTION_NAMES)
    assert defaults == parse_options(given)


NOT_A_DEFAULT = {"required", "as there"}


def test_repeated_merges_add_each_uuid_once(desk: Desk) -> None:
    (program, _) = programs("recipes/spark-merge.md")
    run(desk, program)
    desk.emulator.clock.advance(timedelta(hours=4))
    run(desk, program)
    (desk.folder / "checkpoint").rename(desk.folder / "lost")
    run(desk, program)

    stored = desk.emulator.store.events(FIRST, NEWEST_END + timedelta(hours=4))
    assert uuids_in(desk, "events") == sorted(str(event["uuid"]) for event in stored)


def test_spark_can_parse_the_merge_statement(desk: Desk) -> None:
    (_, program) = programs("recipes/spark-merge.md")
    (statement,) = re.findall(r'sql\("""(.*?)"""\)', program, re.DOTALL)

    plan = desk.spark._jsparkSession.sessionState().sqlParser().parsePlan(statement)  # noqa: SLF001

    assert "MergeIntoTable" in plan.toString()


def test_the_notebook_runs_with_the_packages_it_installs(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    built, installed = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("installed")
    (build, _) = blocks(section(page("recipes/databricks.md"), "The wheel"), "sh")
    (cell,) = blocks(page("recipes/databricks.md"), "text")
    wheel, libraries = re.findall(r"^%pip install (.+)$", cell.text, re.MULTILINE)
    command = build.text.replace("python3", sys.executable).replace(" dist .", f" {built} {PROJECT}")
    subprocess.run(command.split(), check=True, timeout=INSTALL_SECONDS)
    (path,) = built.iterdir()
    assert wheel == f"--no-deps /Volumes/main/default/amplitude/{path.name}"
    install("--no-deps", str(path), folder=installed)

    imported = third_parties_of(installed)
    run_notebook(desk, installed)

    indirect = {"idna", "urllib3", "certifi", "charset_normalizer"}  # dependencies of requests
    on_demand = {"pendulum"}  # imported for unusual datetimes
    assert imported - OF_THE_RUNTIME - indirect == set(libraries.split()) - on_demand


def install(*arguments: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(folder)]
    subprocess.run([*pip, *arguments], check=True, timeout=INSTALL_SECONDS)


def third_parties_of(folder: Path) -> set[str]:
    """Return the packages of the environment that the wheel imports."""
    result = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=folder,
        env=environ_with(folder),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    where, *names = result.stdout.split()
    assert where.startswith(str(folder))
    return {name for name in names if not name.startswith("_")}


LOADED = """
import sys
import source_amplitude.spark.data_source, source_amplitude.spark.stream
files = {name.partition(".")[0]: str(getattr(module, "__file__", "")) for name, module in sys.modules.items()}
print(source_amplitude.__file__, *(name for name, file in files.items() if "site-packages" in file))
"""


def environ_with(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder)}


NOTEBOOK = """
import os
from types import SimpleNamespace
from pyspark.sql import SparkSession

keys = {"api_key": os.environ["AMPLITUDE_API_KEY"], "secret_key": os.environ["AMPLITUDE_SECRET_KEY"]}
dbutils = SimpleNamespace(secrets=SimpleNamespace(get=lambda scope, key: keys[key]))
spark = SparkSession.builder.getOrCreate()
"""
COUNT = 'print("rows", spark.table("amplitude_events").count())'


def run_notebook(desk: Desk, folder: Path) -> None:
    """Run the cells with the objects of a notebook, in another folder."""
    cells = "\n".join(programs("recipes/databricks.md")).replace("/Volumes/main/default/amplitude", str(desk.folder))

    printed = run(desk, f"{NOTEBOOK}\n{cells}\n{COUNT}", PYTHONPATH=str(folder))

    assert f"rows {len(uuids(desk))}" in printed
