"""``make demo``: read and land three days of sample events from a local Amplitude emulator."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from source_amplitude.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent
FOLDER = PROJECT / ".demo"
SHOWN_FIELDS = ("server_upload_time", "event_type", "user_id", "country")
SHOWN_RECORDS = 5
START_SECONDS = 60
EVENTS_PER_HOUR = 600

MANUAL_COMMAND = "$ .venv/bin/python -m amplitude_emulator --sample-days 3     # prints its address and how to use it"

console = Console(highlight=False, soft_wrap=True)


@dataclass
class Outcome:
    """The output of one command of the connector.

    Attributes:
        first: The first records.
        records: The number of records by stream.
        hours: The hours of ``server_upload_time`` by stream.
        json_bytes: The bytes of RECORD lines by stream.
        others: All other messages, in order.
        seconds: The running time of the process.
    """

    first: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, int] = field(default_factory=dict)
    hours: dict[str, set[str]] = field(default_factory=dict)
    json_bytes: dict[str, int] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, line: bytes) -> None:
        """Count one line of the output."""
        message = json.loads(line)
        if message["type"] != "RECORD":
            self.others.append(message)
            return
        record = message["record"]
        stream, data = record["stream"], record["data"]
        self.records[stream] = self.records.get(stream, 0) + 1
        self.json_bytes[stream] = self.json_bytes.get(stream, 0) + len(line)
        self.hours.setdefault(stream, set()).add(data["server_upload_time"][:13])
        if len(self.first) < SHOWN_RECORDS:
            self.first.append(data)

    def last(self, kind: str) -> dict[str, Any]:
        """Return the last message of a type."""
        return [message for message in self.others if message["type"] == kind][-1]


def main() -> int:
    """Run the demo; each step is a command that a user can type."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    started = time.monotonic()
    with emulator() as amplitude:
        console.print(
            "Starting a local Amplitude emulator with three days of sample events; the connector reads from it:"
        )
        console.print(Text(f"$ export AMPLITUDE_API_URL={amplitude['url']}\n", style="bold cyan"))
        write_inputs(amplitude)
        spec = command("spec").last("SPEC")["spec"]["connectionSpecification"]
        show(f"{len(spec['properties'])} fields, {len(spec['required'])} of them required")
        show(command("check", "--config", "config.json").last("CONNECTION_STATUS")["connectionStatus"]["status"])
        streams = command("discover", "--config", "config.json").last("CATALOG")["catalog"]["streams"]
        show(", ".join(f"{each['name']} ({len(each['json_schema']['properties'])} fields)" for each in streams))
        reading = ("read", "--config", "config.json", "--catalog", "catalog.json")
        first = command(*reading)
        console.print(records_table(first))
        console.print(summary_table(first))
        (FOLDER / "state.json").write_text(json.dumps([first.last("STATE")["state"]]), encoding="utf-8")
        console.print("The last STATE message is saved in .demo/state.json. A second sync starts from it.\n")
        second = command(*reading, "--state", "state.json")
        show(f"{sum(second.records.values())} new records after {second.seconds:.1f} s: no duplicates")
        console.print("The same hours as files, with the layout that land uses in S3, Azure Blob Storage and GCS:")
        land()
    console.print(
        f"Done in {time.monotonic() - started:.0f} s. Configuration, catalog, state, landed files and report are in "
        ".demo/. To continue manually:"
    )
    console.print(Text(MANUAL_COMMAND, style="bold cyan"))
    return 0 if sum(first.records.values()) and not second.records else 1


@contextmanager
def emulator() -> Iterator[dict[str, str]]:
    """Run ``python -m amplitude_emulator`` and yield the content of its ready file."""
    ready = FOLDER / "emulator.json"
    arguments = ["--sample-days", "3", "--events-per-hour", str(EVENTS_PER_HOUR), "--ready-file", str(ready)]
    with (FOLDER / "emulator.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "amplitude_emulator", *arguments], cwd=PROJECT, stdout=log, stderr=log
        )
    try:
        wait_for(ready, process)
        yield json.loads(ready.read_text(encoding="utf-8"))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)


def wait_for(ready: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the emulator listens.

    Raises:
        RuntimeError: The emulator exited or took too long; the message contains its log.
    """
    clock = SystemClock()
    deadline = clock.monotonic_seconds() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or clock.monotonic_seconds() > deadline:
            raise RuntimeError("The emulator did not start: " + (FOLDER / "emulator.log").read_text(encoding="utf-8"))
        clock.sleep(0.05)


def write_inputs(amplitude: dict[str, str]) -> None:
    """Write the configuration and the catalog of a sync."""
    os.environ["AMPLITUDE_API_URL"] = amplitude["url"]
    start = (SystemClock().now() - timedelta(days=3)).strftime("%Y-%m-%dT00:00:00Z")
    config = {"api_key": amplitude["api_key"], "secret_key": amplitude["secret_key"], "start_date": start}
    events = {"name": "events", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    catalog = {"streams": [{"stream": events, "sync_mode": "incremental", "destination_sync_mode": "append"}]}
    write_private(FOLDER / "config.json", json.dumps(config, indent=2))
    (FOLDER / "catalog.json").write_text(json.dumps(catalog, indent=2), encoding="utf-8")


def write_private(path: Path, text: str) -> None:
    """Write a file with keys, which only its owner may read."""
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)


def command(*arguments: str) -> Outcome:
    """Run ``python main.py`` with ``arguments``; JSON files are in the demo's folder."""
    typed = [f".demo/{each}" if each.endswith(".json") else each for each in arguments]
    console.print(Text(f"$ .venv/bin/python main.py {' '.join(typed)}", style="bold cyan"))
    outcome, started = Outcome(), time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "main.py", *typed], cwd=PROJECT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None  # noqa: S101 - PIPE was requested
        for line in process.stdout:
            outcome.add(line)
    outcome.seconds = time.monotonic() - started
    if process.returncode:
        trace = outcome.last("TRACE")["trace"]["error"]["message"]
        raise SystemExit(f"main.py {arguments[0]} failed with exit code {process.returncode}: {trace}")
    return outcome


def land() -> None:
    """Land the hours in the demo's folder, and run ``missing`` and ``report``."""
    start = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))["start_date"][:10]
    run_and_print(
        "land", "--config", ".demo/config.json", "--to", ".demo/landed", "--start", start, log=".demo/land.log"
    )
    run_and_print("missing", "--from", ".demo/landed", "--end", "6h")
    run_and_print("report", "--from", ".demo/landed")
    run_and_print("report", "--from", ".demo/landed", "--out", ".demo/report.html")


def run_and_print(*arguments: str, log: str = "") -> None:
    """Run ``python main.py`` with ``arguments`` and print its output; write log lines to ``log`` if named."""
    typed = " ".join(arguments) + (f" 2>{log}" if log else "")
    console.print(Text(f"$ .venv/bin/python main.py {typed}", style="bold cyan"))
    with (PROJECT / (log or os.devnull)).open("wb") as stderr:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "main.py", *arguments], cwd=PROJECT, stderr=stderr if log else None, check=False
        )
    if done.returncode:
        raise SystemExit(
            f"main.py {arguments[0]} failed with exit code {done.returncode}" + (f"; see {log}" if log else "")
        )
    console.print()


def show(text: str) -> None:
    """Print the result of a command."""
    console.print(f"  {text}\n", markup=False)


def records_table(outcome: Outcome) -> Table:
    """Return a table of the first records with some of their fields."""
    table = Table(title="First records", title_justify="left", title_style="bold")
    for name in SHOWN_FIELDS:
        table.add_column(name, no_wrap=True)
    for data in outcome.first:
        table.add_row(*(str(data.get(name, "")).split(".")[0] for name in SHOWN_FIELDS))
    return table


def summary_table(outcome: Outcome) -> Table:
    """Return a table of the records read by stream."""
    table = Table(title="Records by stream", title_justify="left", title_style="bold")
    for name in ("stream", "records", "hours with events", "MB of JSON", "seconds"):
        table.add_column(name, justify="left" if name == "stream" else "right")
    for stream, records in outcome.records.items():
        megabytes = f"{outcome.json_bytes[stream] / 1e6:,.1f}"
        table.add_row(stream, f"{records:,}", f"{len(outcome.hours[stream]):,}", megabytes, f"{outcome.seconds:.1f}")
    return table


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without UTF-8 shows question marks
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
