"""The time to land archives in an object store and in a folder, compared with only downloading them."""

from __future__ import annotations

import json
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING

import obstore

from benchmarks import environments
from benchmarks.bench import Bench, progress
from benchmarks.contenders import HERE, landing_command, our_download
from benchmarks.machine import running_on
from benchmarks.measuring import ANY_LINE, Command, UselessRunError, measure
from benchmarks.report import Section, Table, Target, at_most
from unit_tests.peers.peer import Peer
from unit_tests.peers.s3 import make_bucket, s3_peer, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.archives import Read
    from benchmarks.measuring import Measured

EVENTS = 100_000
MOST_TIMES_DOWNLOAD = 2.0

_SCRIPT, _DOWNLOAD = "download alone, a bare script", "download alone, ours, proven"
_S3 = "land, raw, S3 (moto)"
_AGAIN = "the same once more: nothing new"
_FOLDER_FORMATS = ("raw", "jsonl", "parquet")


def run(bench: Bench) -> Section:
    """Measure every way in interleaved rounds; the first round is a warm-up."""
    read, rounds = bench.archives.read_of(EVENTS), bench.options.rounds
    bench.archives.warm(read)
    found: dict[str, list[Measured]] = {}
    with running_on(bench.cores, bench.cores.serving), s3_server() as address:
        for number in range(rounds + 1):
            for title, command, destination in _ways(bench, read, address, number):
                measured = measure(command, bench.cores, bench.cores.measured(2))
                if destination is not None:
                    _require_landed(destination, read, title)
                progress(f"[land] round {number} of {rounds}: {title}, {measured.seconds:.2f} s")
                if number:
                    found.setdefault(title, []).append(measured)
    bench.archives.forget_requests()
    return Section(
        title=f"Landing {read.events:,} events",
        tables=(_table(found, read),),
        notes=(
            f"medians of {rounds} interleaved rounds, after a warm-up round",
            "each way is measured as a whole process, on two cores that it shares with the emulator and moto",
            f"{len(read.windows)} archives of {read.window_hours} hours; every way downloads all of them",
        ),
        targets=tuple(_targets(found)),
        figures={title: [asdict(each) for each in of] for title, of in found.items()},
    )


def _ways(bench: Bench, read: Read, address: str, number: int) -> Iterator[tuple[str, Command, Peer | None]]:
    yield _SCRIPT, _bare_download(bench, read), None
    yield _DOWNLOAD, our_download(bench.archives, read, bench.folder / "land"), None
    s3 = s3_peer(address, make_bucket(address))
    for title in (_S3, _AGAIN):
        yield title, landing_command(bench.archives, read, bench.folder / "land", s3), s3
    for format_ in _FOLDER_FORMATS:
        folder = Peer(str(bench.folder / f"{format_}-{number}"))
        yield (
            f"land, {format_}, folder",
            landing_command(bench.archives, read, bench.folder / "land", folder, format_),
            folder,
        )


def _bare_download(bench: Bench, read: Read) -> Command:
    served = bench.archives.served
    program = str(environments.make_bare().python), str(HERE / "bare_download.py")
    keys = served.api_key, served.secret_key
    windows = (f"{first}-{last}" for first, last in read.windows)
    return Command((*program, f"{served.url}/us", *keys, str(bench.folder / "download.zip"), *windows), needle=ANY_LINE)


def _require_landed(destination: Peer, read: Read, title: str) -> None:
    """Check that the manifests of a destination count every event.

    Raises:
        UselessRunError: The count differs.
    """
    store = destination.store()
    paths = [each["path"] for chunk in obstore.list(store, "_manifest") for each in chunk]
    manifests = [json.loads(bytes(obstore.get(store, path).bytes())) for path in paths if path.endswith(".json")]
    events = sum(manifest["events"] for manifest in manifests)
    if events != read.events:
        raise UselessRunError(f"{title}: {events:,} of {read.events:,} events were landed")


def _table(found: Mapping[str, list[Measured]], read: Read) -> Table:
    seconds = _medians(found)
    rows = [
        (
            title,
            f"{seconds[title]:.2f}",
            f"{seconds[title] / seconds[_DOWNLOAD]:.2f}",
            f"{seconds[title] / seconds[_SCRIPT]:.2f}",
            f"{median(each.cpu_seconds for each in of):.2f}",
            f"{read.events / seconds[title]:,.0f}",
            f"{max(each.peak_bytes for each in of) / 1e6:.0f}",
        )
        for title, of in found.items()
    ]
    return Table(("", "seconds", "times our download", "times the script", "CPU s", "events/s", "peak MB"), tuple(rows))


def _targets(found: Mapping[str, list[Measured]]) -> list[Target]:
    seconds = _medians(found)
    times = seconds[_S3] / seconds[_DOWNLOAD]
    return at_most("raw to S3 (moto), times our download alone", times, MOST_TIMES_DOWNLOAD)


def _medians(found: Mapping[str, list[Measured]]) -> dict[str, float]:
    return {title: median(each.seconds for each in of) for title, of in found.items()}
