"""``make demo``: read and land three days of sample events from a local Amplitude emulator."""

from __future__ import annotations

import json
import os
import shlex
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
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from source_amplitude.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent
FOLDER = PROJECT / ".demo"
PROGRAM = str(Path(sys.executable).with_name("source-amplitude"))
SHOWN_PROGRAM = ".venv/bin/source-amplitude"
START_SECONDS = 60
EVENTS_PER_HOUR = 300
QUESTION = (
    "SELECT event_type, count(*) AS events FROM events WHERE date = current_date - 1 "
    "GROUP BY event_type ORDER BY events DESC"
)

console = Console(highlight=False, soft_wrap=True)


@dataclass
class Outcome:
    """The records that ``read`` printed.

    Attributes:
        records: The number of records by stream.
        hours: The hours of ``server_upload_time`` by stream.
        json_bytes: The bytes of RECORD lines by stream.
        seconds: The running time of the process.
    """

    records: dict[str, int] = field(default_factory=dict)
    hours: dict[str, set[str]] = field(default_factory=dict)
    json_bytes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, line: bytes) -> None:
        """Count one line of the output."""
        message = json.loads(line)
        if message["type"] != "RECORD":
            return
        record = message["record"]
        stream, data = record["stream"], record["data"]
        self.records[stream] = self.records.get(stream, 0) + 1
        self.json_bytes[stream] = self.json_bytes.get(stream, 0) + len(line)
        self.hours.setdefault(stream, set()).add(data["server_upload_time"][:13])


def main() -> int:
    """Run the demo; each step is a command that a user can type."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    started = time.monotonic()
    console.print("Starting a local Amplitude with three days of sample events. Nothing leaves this machine.\n")
    with emulator() as amplitude:
        export_settings(amplitude)
        first = read()
        console.print(summary_table(first))
        console.print("The same command again, which continues from the state file:")
        second = read()
        show(f"{sum(second.records.values())} new records after {second.seconds:.1f} s: no duplicates")
        console.print("The same hours as files, with the layout that land uses in S3, Azure Blob Storage and GCS:")
        run_and_print("land", "--to", ".demo/landed", "--start", "3d", log=".demo/land.log")
        run_and_print("report", "--from", ".demo/landed")
        console.print("Events by type, yesterday:")
        run_and_print("query", QUESTION, "--from", ".demo/landed")
    console.print(
        f"Done in {time.monotonic() - started:.0f} s; the local Amplitude is stopped. The files are in .demo/. With "
        "your own project: README.md, Quick start."
    )
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


def export_settings(amplitude: dict[str, str]) -> None:
    """Set the emulator's address and keys in the environment, and write a configuration that names the keys."""
    names = {"AMPLITUDE_API_URL": "url", "AMPLITUDE_API_KEY": "api_key", "AMPLITUDE_SECRET_KEY": "secret_key"}
    settings = {variable: amplitude[name] for variable, name in names.items()}
    os.environ.update(settings)
    shown = " ".join(f"{name}={value}" for name, value in settings.items())
    console.print(Text(f"$ export {shown}\n", style="bold cyan"))
    start = (SystemClock().now() - timedelta(days=3)).strftime("%Y-%m-%dT00:00:00Z")
    (FOLDER / "config.yaml").write_text(
        f'api_key: "${{AMPLITUDE_API_KEY}}"\nsecret_key: "${{AMPLITUDE_SECRET_KEY}}"\nstart_date: "{start}"\n',
        encoding="utf-8",
    )


def read() -> Outcome:
    """Run ``read`` and return what it printed; its state is kept in the demo's folder."""
    arguments = ("read", "--config", ".demo/config.yaml", "--state-file", ".demo/state.json")
    console.print(Text(f"$ {SHOWN_PROGRAM} {' '.join(arguments)} >> .demo/messages.jsonl", style="bold cyan"))
    outcome, started = Outcome(), time.monotonic()
    with (FOLDER / "messages.jsonl").open("ab") as messages, (FOLDER / "read.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [PROGRAM, *arguments], cwd=PROJECT, stdout=subprocess.PIPE, stderr=log
        )
        assert process.stdout is not None  # noqa: S101 - PIPE was requested
        for line in process.stdout:
            messages.write(line)
            outcome.add(line)
        process.wait()
    outcome.seconds = time.monotonic() - started
    if process.returncode:
        raise SystemExit(f"read failed with exit code {process.returncode}; see .demo/messages.jsonl")
    return outcome


def run_and_print(*arguments: str, log: str = "") -> None:
    """Run a command and print its output; write log lines to ``log`` if named."""
    typed = shlex.join(arguments) + (f" 2>{log}" if log else "")
    console.print(Text(f"$ {SHOWN_PROGRAM} {typed}", style="bold cyan"))
    with (PROJECT / (log or os.devnull)).open("wb") as stderr:
        done = subprocess.run(  # noqa: S603 - our own program
            [PROGRAM, *arguments], cwd=PROJECT, stderr=stderr if log else None, check=False
        )
    if done.returncode:
        raise SystemExit(f"{arguments[0]} failed with exit code {done.returncode}" + (f"; see {log}" if log else ""))
    console.print()


def show(text: str) -> None:
    """Print the result of a command."""
    console.print(f"  {text}\n", markup=False)


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops the emulator too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
