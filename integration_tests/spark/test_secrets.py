"""Spark never shows, logs or stores a key, in any form.

As a program (``python -m integration_tests.spark.test_secrets FOLDER``) it runs queries with unusual keys in a session
with user interface, event log and driver log, and saves everything that Spark shows in files.
"""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urldefrag, urljoin

import pytest
import requests

from amplitude_emulator import Emulator
from integration_tests.environments import PROJECT
from integration_tests.spark.conftest import FIRST, NOON, fill
from source_amplitude.api import secret_forms
from source_amplitude.config import Keys
from unit_tests.end_to_end.test_secrets import PAIRS, forms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from integration_tests.spark.desk import Desk, Option

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

PROGRAM_SECONDS = 540
SIX, NINE = FIRST + timedelta(hours=6), FIRST + timedelta(hours=9)
PAIR_NAMES = (
    "percent",
    "plus, slash, equals",
    "unicode",
    "quotes",
    "shell",
    "spaces inside",
    "like a newline",
    "one in the other",
)
OF_A_FAILED_TASK = "spark discards the rows of the failed task or micro-batch."
TABS = ("jobs", "stages", "storage", "environment", "executors", "SQL", "StreamingQuery", "driver-logs")
API_PATHS = (
    "",
    "/environment",
    "/jobs",
    "/stages?details=true&withSummaries=true",
    "/sql?details=true&planDescription=true&length=100000",
    "/allexecutors",
    "/storage/rdd",
)


@dataclass
class Player:
    """Runs queries with keys that the emulator accepts, and collects their texts.

    Attributes:
        emulator: The emulated Amplitude.
        accepted: The API key and secret key as they are sent; empty: all keys are rejected.
        outputs: The plans, the progress and the texts of exceptions.
    """

    emulator: Emulator
    accepted: bytes = b""
    outputs: list[str] = field(default_factory=list)

    def keys_of(self, authorization: str) -> tuple[str, str]:
        """Return the emulator's own keys for a header with the accepted keys."""
        if self.accepted and base64.b64decode(authorization.removeprefix("Basic ")) == self.accepted:
            return self.emulator.project.api_key, self.emulator.project.secret_key
        return "another", "another"

    def play(self, desk: Desk, keys: tuple[str, str], late_files: str) -> None:
        """Run queries that succeed and queries that fail, in every way that could reveal a key."""
        given: dict[str, Option] = {"api_key": keys[0], "secret_key": keys[1]}
        given |= {"malformed_lines": "skip", "late_files": late_files}
        echo = " and ".join(keys)
        self.accepted = ":".join(key.strip() for key in keys).encode()
        self._explain(desk.load(None, **given))
        desk.load(None, **given).write.parquet(str(desk.folder / "batch"))
        stream = desk.spark.readStream.format("amplitude").options(**desk.given(**given)).load()
        self._explain(stream)
        self._fail(stream.select, "no such column")
        for name in ("data_region", "stream", "late_files", "start_date", "recheck_hours", keys[0], keys[1]):
            self._fail(desk.load, None, **{**given, name: echo})
        self._fail(desk.load(None, **{**given, "malformed_lines": "fail"}).collect)
        self.emulator.faults.add("server_error", hour=SIX, body=echo)
        self._fail(desk.stream, **given)
        self.emulator.faults.clear()
        self._stream(desk, **given)
        self.emulator.faults.add("bad_request", status=418, message=echo, hour=NINE)
        self._fail(desk.load(None, **given).collect)
        self.emulator.faults.add("json", status=500, body={"error": {"message": echo}}, hour=SIX)
        self._fail(desk.load(None, **given).collect)
        self.emulator.faults.clear()
        self.emulator.faults.add("forbidden", details=f"Invalid {echo} for this")
        self._fail(desk.load(None, **given).collect)
        self.emulator.faults.clear()
        self.accepted = b""
        self._fail(desk.load(None, **given).collect)
        self._fail(desk.stream, **given)

    def _stream(self, desk: Desk, **given: Option) -> None:
        query = desk.start(**given)
        assert query.awaitTermination(120)
        with printed_in(self.outputs):
            query.explain(extended=True)
        self.outputs += [str(query.status), *map(str, query.recentProgress)]

    def _explain(self, query: DataFrame) -> None:
        with printed_in(self.outputs):
            query.explain(extended=True)
            if not query.isStreaming:
                for mode in ("codegen", "cost", "formatted"):
                    query.explain(mode=mode)
        self.outputs += [repr(query), query.schema.json()]

    def _fail(self, query: Callable[..., object], *arguments: object, **options: object) -> None:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - PySpark is in .venv-spark alone

        with pytest.raises(PySparkException) as raised:
            query(*arguments, **options)
        self.outputs += [str(raised.value), repr(raised.value)]


@contextmanager
def printed_in(texts: list[str]) -> Iterator[None]:
    with redirect_stdout(io.StringIO()) as printed:
        yield
    texts.append(printed.getvalue())


def shown(spark: SparkSession) -> Iterator[tuple[str, str]]:
    """Yield every linked page of the user interface, and the responses of its REST API."""
    root = str(spark.sparkContext.uiWebUrl)
    application = f"{root}/api/v1/applications/{spark.sparkContext.applicationId}"
    waiting = [*(f"{root}/{tab}/" for tab in TABS), *(application + path for path in API_PATHS)]
    met = set(waiting)
    while waiting:
        address = waiting.pop()
        text = requests.get(address, timeout=60).text
        yield address.removeprefix(root), text
        links = (urldefrag(urljoin(address, html.unescape(link)))[0] for link in re.findall(r"href=.([^\"' >]+)", text))
        # One order of a sortable table is enough.
        fresh = {link for link in links if link.startswith(root) and not re.search(r"/static/|[.&?](sort|page)", link)}
        waiting += sorted(fresh - met)
        met |= fresh


def run(folder: Path) -> None:
    """Run the queries of all pairs of keys in one session, and save everything that Spark shows in ``folder``."""
    from integration_tests.spark.desk import Desk  # noqa: PLC0415 - PySpark, as above
    from integration_tests.spark.sessions import session  # noqa: PLC0415 - PySpark, as above

    conf = {
        "spark.ui.enabled": "true",
        "spark.ui.port": "0",
        "spark.ui.heapHistogramEnabled": "false",  # slow, and shows only class names
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": str(folder / "events"),
        "spark.eventLog.compress": "false",
        "spark.driver.log.localDir": str(folder / "driver"),
    }
    for name in ("events", "driver", "outputs", "pages"):
        (folder / name).mkdir()
    with Emulator(now=NOON) as emulator, pytest.MonkeyPatch.context() as patch:
        player = Player(emulator)
        patch.setattr("amplitude_emulator.basic_auth._read_basic", player.keys_of)
        patch.setenv("AMPLITUDE_API_URL", emulator.url)
        fill(emulator, 0, 34)
        emulator.store.put_content(SIX, 5000, b'{"cut": "of\n')
        with session("local[2]", folder / "spark", conf) as spark:
            spark.sparkContext.setLogLevel("INFO")
            for number, name in enumerate(PAIR_NAMES):
                (folder / f"queries{number}").mkdir()
                late_files = ("ignore", "executors", "driver")[number % 3]
                player.play(Desk(spark, emulator, folder / f"queries{number}"), PAIRS[name], late_files)
            for number, (address, text) in enumerate(shown(spark)):
                (folder / "pages" / f"{number}.txt").write_text(f"{address}\n{text}", encoding="utf-8")
        (folder / "outputs" / "all.txt").write_text("\n".join(player.outputs), encoding="utf-8")


def all_forms(api_key: str, secret_key: str) -> set[str]:
    """Return the forms of the keys that must not be found, also in the encoding of Java's URL encoder."""
    javas = {quote_plus(text, safe="*").replace("~", "%7E") for text in (api_key, secret_key)}
    return forms_of(api_key, secret_key) | set(secret_forms(Keys(api_key, secret_key))) | javas


def contents(folder: Path) -> dict[str, str]:
    """Return the texts to search: the files of a folder, without those of tables, and the names of all files."""
    places = {"names of files": ""}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        places["names of files"] += f"{name}\n".casefold()
        if path.is_file() and path.suffix not in (".parquet", ".crc"):
            text = path.read_bytes().decode("utf-8", "replace")
            places[name] = f"{text}\n{html.unescape(text)}".casefold()
    return places


def found(places: dict[str, str], forms: set[str]) -> list[str]:
    return [f"{form!r} in {place}" for place, content in places.items() for form in forms if form.casefold() in content]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with everything that the program saved, and the stdout and stderr of all its processes."""
    from integration_tests.spark.sessions import spark_environ  # noqa: PLC0415 - PySpark, as above

    folder = tmp_path_factory.mktemp("secrets")
    # Otherwise Java replaces non-ASCII characters of a key by question marks.
    environ = {**os.environ, **spark_environ(), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "integration_tests.spark.test_secrets", str(folder)]
    with (folder / "stdout.txt").open("wb") as stdout, (folder / "stderr.txt").open("wb") as stderr:
        done = subprocess.run(
            command, cwd=PROJECT, env=environ, stdout=stdout, stderr=stderr, timeout=PROGRAM_SECONDS, check=False
        )
    assert done.returncode == 0, (folder / "stderr.txt").read_text(encoding="utf-8")[-5000:]
    return folder


@pytest.fixture(scope="module")
def places(left: Path) -> dict[str, str]:
    return contents(left)


@pytest.mark.parametrize("name", PAIR_NAMES)
def test_nothing_that_spark_shows_or_stores_has_a_key(places: dict[str, str], name: str) -> None:
    assert found(places, all_forms(*PAIRS[name])) == []


def test_the_search_covers_every_place_that_may_have_a_key(places: dict[str, str]) -> None:
    failures = {name.split("/")[0] for name, content in places.items() if OF_A_FAILED_TASK in content}
    planned = {name.split("/")[0] for name, content in places.items() if "batchscan amplitude" in content}
    offsets = [name for name, content in places.items() if "/checkpoint/offsets/" in name and "settled" in content]
    pages = {content.split("\n")[0].split("?")[0] for name, content in places.items() if name.startswith("pages/")}

    assert failures == {"outputs", "stderr.txt", "events", "driver", "pages"}
    assert planned == {"outputs", "events", "pages"}
    assert "api_key=*********(redacted), secret_key=*********(redacted)" in places["outputs/all.txt"]
    assert {name.split("/")[0] for name in offsets} == {f"queries{number}" for number in range(len(PAIR_NAMES))}
    assert pages >= {"/sql/execution/", "/jobs/job/", "/stages/stage/", "/streamingquery/statistics/", "/environment/"}


@pytest.mark.parametrize("name", PAIR_NAMES)
def test_the_search_finds_a_leaked_key(tmp_path: Path, name: str) -> None:
    api_key, secret_key = PAIRS[name]
    texts = {
        "plan.txt": f"[end_date=x, api_key={api_key}, num_workers=2]",
        "page.html": html.escape(f"<td>{secret_key}</td>"),
        "events.json": json.dumps({"Physical Plan": secret_key}),
        "header.log": base64.b64encode(f"{api_key}:{secret_key}".encode()).decode(),
    }
    for place, text in texts.items():
        (tmp_path / place).write_text(text, encoding="utf-8", newline="")

    hits = found(contents(tmp_path), all_forms(api_key, secret_key))

    assert {hit.rsplit(" in ", 1)[1] for hit in hits} == set(texts)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
