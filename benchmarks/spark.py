"""The time of Spark on this machine to read archives, compared with the connector's ``read``."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from statistics import median
from typing import IO, TYPE_CHECKING, Any

from benchmarks.archives import utc_text
from benchmarks.bench import Bench, progress
from benchmarks.contenders import HERE, make_contenders
from benchmarks.machine import running_on
from benchmarks.measuring import UselessRunError, measure
from benchmarks.report import Section, Table
from integration_tests.spark.environment import ENVIRONMENT, require_java

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.archives import Read

EVENTS = 200_000

_SHOWN_CHARS = 4000
_READ = "read, to stdout"


def run(bench: Bench) -> Section:
    """Measure ``read`` and every query in interleaved rounds; the first round is a warm-up."""
    require_java()
    ENVIRONMENT.make()
    (ours,), _ = make_contenders(("ours",), ())
    read, rounds = bench.archives.read_of(EVENTS), bench.options.rounds
    bench.archives.warm(read)
    found: dict[str, list[dict[str, Any]]] = {}
    log = bench.folder / "spark.log"
    with _session(bench, read, log) as (requests, answers):
        found["session"] = [_next_result(answers, log)]
        for number in range(rounds + 1):
            measured = measure(
                ours.read(bench.archives, read, bench.folder / "spark"), bench.cores, bench.cores.measured(2)
            )
            results: list[dict[str, Any]] = [
                {
                    "way": _READ,
                    "seconds": measured.seconds,
                    "rows": measured.records,
                    "python_bytes": measured.peak_bytes,
                }
            ]
            requests.write("\n")
            requests.flush()
            while (result := _next_result(answers, log))["way"] != "end":
                results.append(result)
            for each in results:
                progress(f"[spark] round {number} of {rounds}: {each['way']}, {each['seconds']:.2f} s")
                if each["rows"] not in (None, read.events):
                    raise UselessRunError(f"{each['way']}: {each['rows']:,} of {read.events:,} events")
                if number:
                    found.setdefault(str(each["way"]), []).append(each)
    bench.archives.forget_requests()
    return Section(
        title=f"Spark, {read.events:,} events",
        tables=(_table(found, read),),
        notes=(
            f"medians of {rounds} interleaved rounds, after a warm-up round",
            f"Spark 4 as local[2], a warm session; its start took {found['session'][0]['seconds']:.1f} s",
            "on two cores, shared by the emulator, the JVM and the tasks; read is measured as a whole process",
            "peak MB: Spark's largest Python process, sampled; for read, all its processes",
            f"{len(read.windows)} archives of {read.window_hours} hours, events of {bench.archives.line_bytes:,.0f} B",
        ),
        figures=found,
    )


@contextmanager
def _session(bench: Bench, read: Read, log: Path) -> Iterator[tuple[IO[str], IO[str]]]:
    served = bench.archives.served
    keys = {"api_key": served.api_key, "secret_key": served.secret_key}
    options = {**keys, "start_date": utc_text(read.start), "end_date": utc_text(read.end), "num_workers": "2"}
    folder = bench.folder / "spark"
    folder.mkdir(parents=True, exist_ok=True)
    job = json.dumps({"options": options, "folder": str(folder)})
    environ = {
        **os.environ,
        "AMPLITUDE_API_URL": served.url,
        "PYSPARK_PYTHON": str(ENVIRONMENT.python),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TZ": "UTC",
    }
    with log.open("wb") as stderr, running_on(bench.cores, bench.cores.measured(2)):
        process = subprocess.Popen(
            [str(ENVIRONMENT.python), str(HERE / "spark_queries.py"), job],
            env=environ,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    with process:
        if process.stdin is None or process.stdout is None:
            raise UselessRunError("the Spark session has no pipes")
        yield process.stdin, process.stdout


def _next_result(results: IO[str], log: Path) -> dict[str, Any]:
    line = results.readline()
    if not line:
        raise UselessRunError(f"the Spark session ended:\n{_end_of(log)}")
    return dict(json.loads(line))


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-_SHOWN_CHARS:]


def _table(found: dict[str, list[dict[str, Any]]], read: Read) -> Table:
    seconds = {way: median(each["seconds"] for each in of) for way, of in found.items()}
    rows = [
        (
            way,
            f"{seconds[way]:.2f}",
            f"{seconds[way] / read.events * 1e6:.1f}",
            f"{seconds[way] / seconds[_READ]:.2f}",
            f"{max(each['python_bytes'] for each in of) / 1e6:.0f}",
        )
        for way, of in found.items()
        if way != "session"
    ]
    return Table(("", "seconds", "µs an event", "times read", "peak MB"), tuple(rows))
