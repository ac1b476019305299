"""``python -m benchmarks.served_archives``: an emulator with the same compressed members on every day.

It prints one line of JSON (`Served`) once it listens, and ends when its stdin closes. It also runs the proxy through
which Airbyte's published connector reaches the emulator.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from amplitude_emulator import Emulator
from amplitude_emulator.hours import HOUR, format_hour
from amplitude_emulator.sample_data import allocate, iter_sample
from integration_tests.upstream.proxy import AmplitudeProxy

if TYPE_CHECKING:
    from datetime import datetime

SEED = 1
DAY = timedelta(days=1)
HOURS_A_DAY = 24
# Hours are published three hours after their start; archives must not change during a measurement.
SETTLED = timedelta(hours=4)


@dataclass(frozen=True)
class Served:
    """The description of a served emulator.

    Attributes:
        url: The address without a region.
        proxy_url: The proxy that replaces Amplitude's hosts.
        certificate: The path of the proxy's certificate.
        api_key: The API key of a project in the region ``us``.
        secret_key: The secret key of the same project.
        end: The hour after the last one with events, as ``YYYYMMDDTHH``.
        days: The number of days with events.
        events_by_hour: The number of events of each hour of a day; the same for all days.
        line_bytes: The size of all lines of a day, without line feeds.
        keys: The number of top-level keys of an event.
        gzip_bytes: The size of all members of a day.
    """

    url: str
    proxy_url: str
    certificate: str
    api_key: str
    secret_key: str
    end: str
    days: int
    events_by_hour: list[int]
    line_bytes: int
    keys: int
    gzip_bytes: int


@dataclass(frozen=True)
class _Filled:
    events_by_hour: list[int]
    line_bytes: int
    keys: int


def main() -> int:
    """Fill an emulator, serve it, and wait for the end of stdin."""
    options = _parse()
    emulator = Emulator()
    now = emulator.clock.now()
    end = (now - SETTLED).replace(hour=0, minute=0, second=0, microsecond=0)
    filled = _fill_last_day(emulator, end, options.events_per_day)
    _repeat_last_day(emulator, end, options.days)
    with emulator, AmplitudeProxy(emulator.url, options.folder, now) as proxy:
        served = Served(
            url=emulator.url,
            proxy_url=proxy.url,
            certificate=str(proxy.certificate),
            api_key=emulator.project.api_key,
            secret_key=emulator.project.secret_key,
            end=format_hour(end),
            days=options.days,
            gzip_bytes=sum(member.size_bytes for member in emulator.store.members(end - DAY, end)),
            **asdict(filled),
        )
        sys.stdout.write(json.dumps(asdict(served)) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.served_archives", description=__doc__)
    parser.add_argument("--events-per-day", type=int, required=True)
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="folder for the proxy's certificate")
    return parser.parse_args()


def _fill_last_day(emulator: Emulator, end: datetime, events: int) -> _Filled:
    """Generate the events of a day, equally many in each hour, so that results do not depend on the date."""
    store = emulator.store
    by_hour = allocate(events, [1.0] * HOURS_A_DAY)
    line_bytes = keys = 0
    for number, count in enumerate(by_hour):
        hour = end - DAY + number * HOUR
        for member in iter_sample(store.project_id, seed=SEED, start=hour, end=hour + HOUR, total_events=count):
            store.add_member(member.hour, member.lines, member.partition)
            line_bytes += sum(map(len, member.lines))
            keys = len(json.loads(member.lines[0]))
    return _Filled(by_hour, line_bytes, keys)


def _repeat_last_day(emulator: Emulator, end: datetime, days: int) -> None:
    """Store the compressed members of the last day also under the days before it, without copies in memory."""
    store = emulator.store
    members = store.members(end - DAY, end)
    for number in range(1, days):
        for member in members:
            data = store.read(member.name)
            if data is not None:
                store.put_gzip(member.name.hour - number * DAY, member.name.partition, data)


if __name__ == "__main__":
    sys.exit(main())
