"""A served emulator as the measuring process sees it: what a read covers, and the emulator's control routes."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from amplitude_emulator.hours import HOUR, format_hour, parse_hour
from benchmarks.machine import Cores, running_on
from benchmarks.measuring import UselessRunError
from benchmarks.served_archives import HOURS_A_DAY, Served

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[1]

_OK = 200
_COPY_BYTES = 1024**2
_TIMEOUT_SECONDS = 120
_FEWEST_BYTES, _MOST_BYTES = 1500, 2048


class UnfairReadError(UselessRunError):
    """A contender asked for other archives than the others do, so its figures would not compare."""


@dataclass(frozen=True)
class Read:
    """What a contender is asked to read.

    Attributes:
        start: The first hour; it alone decides the size of a read, since everyone reads up to the present.
        end: The hour after the last that has events.
        window_hours: How many hours a request asks for.
        events: How many events lie in between.
        workers: ``num_workers`` of those who have it; None for the default.
        processes: ``num_processes`` of those who have it; None for the default.
    """

    start: datetime
    end: datetime
    window_hours: int
    events: int
    workers: int | None = None
    processes: int | None = None

    @property
    def windows(self) -> list[tuple[str, str]]:
        """The requests' ``start`` and ``end``, both inclusive, as ``YYYYMMDDTHH``."""
        found = []
        first = self.start
        while first < self.end:
            last = min(first + self.window_hours * HOUR, self.end) - HOUR
            found.append((format_hour(first), format_hour(last)))
            first = last + HOUR
        return found


@dataclass(frozen=True)
class Archives:
    """The emulator with its days of equal archives."""

    served: Served

    @property
    def end(self) -> datetime:
        """The hour after the last that has events."""
        return parse_hour(self.served.end)

    @property
    def events_per_day(self) -> int:
        """The number of events of any day."""
        return sum(self.served.events_by_hour)

    @property
    def line_bytes(self) -> float:
        """The average size of an event as a line of JSON, as Amplitude has it."""
        return self.served.line_bytes / self.events_per_day

    def read_of(self, events: int, window_hours: int = 4) -> Read:
        """Return the shortest read of at least so many events."""
        days, rest = divmod(events, self.events_per_day)
        hour, counted = HOURS_A_DAY, 0
        while counted < rest:
            hour -= 1
            counted += self.served.events_by_hour[hour]
        start = self.end - timedelta(days=days, hours=HOURS_A_DAY - hour)
        if start < self.end - timedelta(days=self.served.days):
            raise ValueError(f"{events:,} events are more than the emulator has")
        return Read(start, self.end, window_hours, days * self.events_per_day + counted)

    def hourly_read(self, hours: int) -> Read:
        """Return a read of so many hours with a request for each."""
        by_hour = self.served.events_by_hour
        events = sum(by_hour[-1 - number % HOURS_A_DAY] for number in range(hours))
        return Read(self.end - hours * HOUR, self.end, 1, events)

    def read_of_nothing(self) -> Read:
        """Return a read of one hour that has no files."""
        return Read(self.end, self.end + HOUR, 1, 0)

    def warm(self, read: Read) -> None:
        """Ask once for every archive of a read, so that the emulator has them written before anyone is measured."""
        keys = self.served.api_key, self.served.secret_key
        with requests.Session() as session:
            for first, last in read.windows:
                url = f"{self.served.url}/us/api/2/export?start={first}&end={last}"
                with session.get(url, auth=keys, stream=True, timeout=_TIMEOUT_SECONDS) as answer:
                    answer.raise_for_status()
                    for _ in answer.iter_content(_COPY_BYTES):
                        pass
        self.forget_requests()

    def lines(self, read: Read) -> list[bytes]:
        """Return the raw lines that a read must come to: the oracle."""
        last = format_hour(read.end - HOUR)
        answer = self._control("GET", f"events?start={format_hour(read.start)}&end={last}")
        return answer.content.removesuffix(b"\n").split(b"\n")

    def prepare_slowly(self, read: Read, seconds: float) -> None:
        """Let every further archive of a read take a time to prepare; what is not there is answered at once."""
        for first, _ in read.windows:
            self._control("POST", "faults", {"name": "prepare", "seconds": seconds, "hour": first})

    def forget_requests(self) -> None:
        """Start a new count of requests."""
        self._control("DELETE", "requests")

    def require_windows(self, read: Read, title: str) -> None:
        """Check what was asked for since `forget_requests`, and forget it.

        Some contenders know no ``end_date`` and go on to the present; hours after `end` are left out, since nothing
        is there.

        Raises:
            UnfairReadError: Other archives were asked for, or one of them more than once.
        """
        log = self._control("GET", "requests").json()
        last = format_hour(read.end - HOUR)
        answered = (seen["query"] for seen in log if seen["status"] == _OK)
        asked = sorted((query["start"], min(query["end"], last)) for query in answered)
        self.forget_requests()
        if asked != read.windows:
            raise UnfairReadError(f"{title} asked for {asked[:8]} ... instead of {read.windows[:8]} ...")

    def _control(self, method: str, path: str, order: dict[str, Any] | None = None) -> requests.Response:
        url = f"{self.served.url}/_emulator/{path}"
        answer = requests.request(method, url, json=order, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer


@contextmanager
def serve(folder: Path, cores: Cores, *, events_per_day: int, days: int) -> Iterator[Archives]:
    """Run an emulator in a process of its own, on the core that is not measured.

    Raises:
        ValueError: Its events are not of the size that the benchmark promises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = ["--events-per-day", str(events_per_day), "--days", str(days)]
    arguments = [sys.executable, "-m", "benchmarks.served_archives", *numbers, "--folder", str(folder)]
    with running_on(cores, cores.serving):
        process = subprocess.Popen(
            arguments, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    with process:  # closes its stdin, at which it ends
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError("the emulator did not start; see what it wrote above")
        archives = Archives(Served(**json.loads(line)))
        if not _FEWEST_BYTES <= archives.line_bytes <= _MOST_BYTES:
            raise ValueError(f"an event has {archives.line_bytes:.0f} bytes on average, not 1.5 to 2 KB")
        yield archives


def utc_text(moment: datetime) -> str:
    """Write a moment as configurations have it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
