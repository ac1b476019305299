"""The client of the served emulator: the hours of a read, and the emulator's control routes."""

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
    """A contender requested other archives than expected, so its figures are not comparable."""


@dataclass(frozen=True)
class Read:
    """The hours that a contender reads.

    Attributes:
        start: The first hour; it determines the size of a read, because all contenders read up to the present.
        end: The hour after the last one with events.
        window_hours: The hours per request.
        events: The number of events in these hours.
        workers: The option ``num_workers``; None for the default.
        processes: The option ``num_processes``; None for the default.
    """

    start: datetime
    end: datetime
    window_hours: int
    events: int
    workers: int | None = None
    processes: int | None = None

    @property
    def windows(self) -> list[tuple[str, str]]:
        """The ``start`` and ``end`` of each request, both inclusive, as ``YYYYMMDDTHH``."""
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
        """The hour after the last one with events."""
        return parse_hour(self.served.end)

    @property
    def events_per_day(self) -> int:
        """The number of events of each day."""
        return sum(self.served.events_by_hour)

    @property
    def line_bytes(self) -> float:
        """The average size of an exported line."""
        return self.served.line_bytes / self.events_per_day

    def read_of(self, events: int, window_hours: int = 4) -> Read:
        """Return the shortest read with at least ``events`` events."""
        days, rest = divmod(events, self.events_per_day)
        hour, counted = HOURS_A_DAY, 0
        while counted < rest:
            hour -= 1
            counted += self.served.events_by_hour[hour]
        start = self.end - timedelta(days=days, hours=HOURS_A_DAY - hour)
        if start < self.end - timedelta(days=self.served.days):
            raise ValueError(f"The emulator has fewer than {events:,} events")
        return Read(start, self.end, window_hours, days * self.events_per_day + counted)

    def hourly_read(self, hours: int) -> Read:
        """Return a read of ``hours`` hours with one request per hour."""
        by_hour = self.served.events_by_hour
        events = sum(by_hour[-1 - number % HOURS_A_DAY] for number in range(hours))
        return Read(self.end - hours * HOUR, self.end, 1, events)

    def read_of_nothing(self) -> Read:
        """Return a read of one hour without files."""
        return Read(self.end, self.end + HOUR, 1, 0)

    def warm(self, read: Read) -> None:
        """Request every archive of a read once, so that the emulator has cached them before a measurement."""
        keys = self.served.api_key, self.served.secret_key
        with requests.Session() as session:
            for first, last in read.windows:
                url = f"{self.served.url}/us/api/2/export?start={first}&end={last}"
                with session.get(url, auth=keys, stream=True, timeout=_TIMEOUT_SECONDS) as response:
                    response.raise_for_status()
                    for _ in response.iter_content(_COPY_BYTES):
                        pass
        self.forget_requests()

    def lines(self, read: Read) -> list[bytes]:
        """Return the raw lines that a read must emit."""
        last = format_hour(read.end - HOUR)
        response = self._control("GET", f"events?start={format_hour(read.start)}&end={last}")
        return response.content.removesuffix(b"\n").split(b"\n")

    def prepare_slowly(self, read: Read, seconds: float) -> None:
        """Delay every further archive of a read; a missing archive is reported immediately."""
        for first, _ in read.windows:
            self._control("POST", "faults", {"name": "prepare", "seconds": seconds, "hour": first})

    def forget_requests(self) -> None:
        """Clear the emulator's request log."""
        self._control("DELETE", "requests")

    def require_windows(self, read: Read, title: str) -> None:
        """Verify the requests since `forget_requests`, and clear the log.

        Some contenders have no ``end_date`` and read up to the present; hours after `end` are ignored, because they
        have no events.

        Raises:
            UnfairReadError: Other archives were requested, or an archive more than once.
        """
        log = self._control("GET", "requests").json()
        last = format_hour(read.end - HOUR)
        successful = (seen["query"] for seen in log if seen["status"] == _OK)
        requested = sorted((query["start"], min(query["end"], last)) for query in successful)
        self.forget_requests()
        if requested != read.windows:
            raise UnfairReadError(f"{title} requested {requested[:8]} ... instead of {read.windows[:8]} ...")

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        url = f"{self.served.url}/_emulator/{path}"
        response = requests.request(method, url, json=body, timeout=_TIMEOUT_SECONDS)
        response.raise_for_status()
        return response


@contextmanager
def serve(folder: Path, cores: Cores, *, events_per_day: int, days: int) -> Iterator[Archives]:
    """Run an emulator in its own process, on the core that is not measured.

    Raises:
        ValueError: Its events do not have the documented size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = ["--events-per-day", str(events_per_day), "--days", str(days)]
    arguments = [sys.executable, "-m", "benchmarks.served_archives", *numbers, "--folder", str(folder)]
    with running_on(cores, cores.serving):
        process = subprocess.Popen(
            arguments, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    with process:  # closes its stdin, which ends it
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError("the emulator did not start; its output is above")
        archives = Archives(Served(**json.loads(line)))
        if not _FEWEST_BYTES <= archives.line_bytes <= _MOST_BYTES:
            raise ValueError(f"an event has {archives.line_bytes:.0f} bytes on average instead of 1.5 to 2 KB")
        yield archives


def utc_text(moment: datetime) -> str:
    """Format a datetime as in configurations."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
