"""The processor time to encode lines in memory: ours, and the inner loops of both bare scripts, over several samples.

``python -m benchmarks.encoding_cost [ROUNDS [EVENTS]]`` prints the table of the part ``encoding``. It also works on a
busy machine: all ways take turns within a round, and the ratios are medians over rounds.
"""

from __future__ import annotations

import io
import sys
import time
import zipfile
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import bare_script, bare_struct_script
from benchmarks.report import Section, Table, at_most
from benchmarks.samples import friendly_lines, lines_with_unknown_fields, rich_lines
from source_amplitude.archive import open_archive
from source_amplitude.archive.gzip_codec import gzip_compressor
from source_amplitude.encoding import JsonLines
from source_amplitude.encoding.encoded import BATCH_BYTES
from source_amplitude.landing.formats import format_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench

EVENTS = 20_000
ROUNDS = 7
MOST_TIMES_KNOWN = 1.3
MOST_JSONL, MOST_PARQUET = 9, 20
MOST_TIMES_BARE_RICH = 1

_ARCHIVE_MEMBER = "100200/100200_2026-03-03_0#1.json.gz"
_SUFFIX = b',"emitted_at":1772499600000}}\n'
_FRIENDLY, _RICH = "emulator's sample", "60 properties, long texts"
_BARE, _STRUCTS, _OURS = "bare script", "bare script with structs", "ours"
_THREE, _RARE = "ours, 3 unknown fields in each event", "ours, 1 % of events with an unknown field"
_JSONL, _PARQUET, _COMPRESSION = "land, jsonl", "land, parquet", "compression of jsonl alone"


def run(bench: Bench) -> Section:
    """Measure both samples."""
    return measure(bench.options.rounds, EVENTS)


def measure(rounds: int, events: int) -> Section:
    """Measure all ways in alternating rounds; the first round is a warm-up."""
    friendly = friendly_lines(events)
    samples = {_FRIENDLY: friendly, _RICH: rich_lines(events)}
    figures = {title: _measure_sample(body, rounds) for title, body in samples.items()}
    first, rich = figures[_FRIENDLY], figures[_RICH]
    beyond = median(landed - packed for landed, packed in zip(first[_JSONL], first[_COMPRESSION], strict=True))
    return Section(
        title="Processor time to encode an event in memory",
        tables=tuple(_table(title, samples[title], found) for title, found in figures.items()),
        notes=(f"medians of {rounds} alternating rounds over {events:,} events, after a warm-up round",),
        targets=(
            *at_most("3 unknown fields, times without", _ratio(first, _THREE, _OURS), MOST_TIMES_KNOWN),
            *at_most(
                "1 % of events with an unknown field, times without", _ratio(first, _RARE, _OURS), MOST_TIMES_KNOWN
            ),
            *at_most(f"{_RICH}: ours, times bare", _ratio(rich, _OURS, _BARE), MOST_TIMES_BARE_RICH),
            *at_most("land, jsonl, more than its compression", beyond, MOST_JSONL, " µs"),
            *at_most("land, parquet", median(first[_PARQUET]), MOST_PARQUET, " µs"),
        ),
        figures=figures,
    )


def _measure_sample(body: bytes, rounds: int) -> dict[str, list[float]]:
    events = body.count(b"\n")
    ways = _ways(body)
    found: dict[str, list[float]] = {title: [] for title in ways}
    for number in range(rounds + 1):
        for title, way in ways.items():
            started = time.process_time()
            way()
            if number:
                found[title].append((time.process_time() - started) / events * 1e6)
    return found


def _ways(body: bytes) -> dict[str, Callable[[], object]]:
    setattr(bare_script, "write", len)  # noqa: B010 - both scripts call it
    payload = JsonLines(b"").encode(body, b"\n").payload
    return {
        _BARE: lambda: bare_script.emit_lines(io.BytesIO(body)),
        _STRUCTS: lambda: bare_struct_script.emit_lines(io.BytesIO(body)),
        _OURS: _encoding(body),
        _THREE: _encoding(lines_with_unknown_fields(body, 3, 1.0)),
        _RARE: _encoding(lines_with_unknown_fields(body, 1, 0.01)),
        _COMPRESSION: lambda: _compressed(payload),
        _JSONL: _landing(body, "jsonl"),
        _PARQUET: _landing(body, "parquet"),
    }


def _encoding(body: bytes) -> Callable[[], None]:
    batches = _batches(body)
    encode = JsonLines(bare_script.HEAD).encode

    def encode_all() -> None:
        for batch in batches:
            encode(batch, _SUFFIX)

    return encode_all


def _batches(body: bytes) -> list[bytes]:
    found, start = [], 0
    while start < len(body):
        end = body.rfind(b"\n", start, start + BATCH_BYTES) + 1 or body.find(b"\n", start) + 1 or len(body)
        found.append(body[start:end])
        start = end
    return found


def _landing(body: bytes, format_name: str) -> Callable[[], None]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_ARCHIVE_MEMBER, _compressed(body))
    opened, format_ = open_archive(file), format_named(format_name)

    def land() -> None:
        format_.render(opened, opened.members[0]).body.close()

    return land


def _compressed(content: bytes) -> bytes:
    compressor = gzip_compressor()
    parts = [compressor.compress(batch) for batch in _batches(content)]
    return b"".join([*parts, compressor.flush()])


def _ratio(found: Mapping[str, list[float]], one: str, other: str) -> float:
    return median(a / b for a, b in zip(found[one], found[other], strict=True))


def _table(title: str, body: bytes, found: Mapping[str, list[float]]) -> Table:
    rows = [
        (
            way,
            f"{median(of):.2f}",
            f"{min(of):.2f}",
            f"{_ratio(found, way, _BARE):.2f}",
            f"{_ratio(found, way, _STRUCTS):.2f}",
        )
        for way, of in found.items()
    ]
    line_bytes = len(body) / body.count(b"\n")
    return Table(
        (f"{title}, {line_bytes:,.0f} B", "CPU µs an event", "minimum", "times bare", "times structs"), tuple(rows)
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.stdout.write(measure(*(*numbers, *(ROUNDS, EVENTS)[len(numbers) :])).markdown() + "\n")
