"""Before the measurements, verify that every contender emits the events of the archives."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from benchmarks.bench import Bench, progress
from benchmarks.measuring import UselessRunError, start
from integration_tests.upstream.differences import DATETIME_FIELDS, differences

if TYPE_CHECKING:
    from benchmarks.archives import Read
    from benchmarks.contenders import Contender

_LIMIT_SECONDS = 300
_PLAIN_CHARS = len("2025-03-04 09:59:57.447000")

Record = dict[str, Any]


class WrongRecordsError(UselessRunError):
    """A contender emits wrong records, so its speed is meaningless."""


def validate(bench: Bench) -> None:
    """Read the last hour with every contender, and compare its output with the emulator's events.

    Raises:
        WrongRecordsError: The output differs.
    """
    read = bench.archives.read_of(1)
    lines = bench.archives.lines(read)
    expected = {event["uuid"]: event for event in map(_as_record, lines)}
    for contender in bench.contenders:
        progress(f"[validation] {contender.title}: {len(lines):,} events")
        bench.archives.forget_requests()
        output = _output(bench, contender, read)
        if contender.emits_records:
            _require_records(contender, output, expected)
        elif sorted(output) != sorted(lines):
            raise WrongRecordsError(f"{contender.title} emits other lines than the archives contain")
        bench.archives.require_windows(read, contender.title)


def _output(bench: Bench, contender: Contender, read: Read) -> list[bytes]:
    command = contender.read(bench.archives, read, bench.folder / contender.name)
    with TemporaryFile() as stderr:
        process = start(command, stderr)
        try:
            output, _ = process.communicate(timeout=_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        if process.returncode:
            stderr.seek(0)
            complaint = output[-2000:] + stderr.read()[-2000:]
            raise WrongRecordsError(
                f"{contender.title} failed with exit code {process.returncode}: {complaint.decode()}"
            )
    return output.removesuffix(b"\n").split(b"\n")


def _as_record(line: bytes) -> Record:
    """Return the record of a line: without top-level nulls and empty datetimes, other datetimes in RFC 3339."""
    record = {name: value for name, value in json.loads(line).items() if value is not None}
    for name in DATETIME_FIELDS:
        value = record.get(name)
        if value == "":
            del record[name]
        elif value:
            if len(value) != _PLAIN_CHARS:
                raise ValueError(f"the sample has a datetime in an unexpected form: {value}")
            record[name] = value.replace(" ", "T") + "+00:00"
    return record


def _require_records(contender: Contender, output: list[bytes], expected: dict[str, Record]) -> None:
    messages = [json.loads(line) for line in output]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    if any(set(record) != {"stream", "data", "emitted_at"} or record["stream"] != "events" for record in records):
        raise WrongRecordsError(f"{contender.title} emits records without `stream` or `emitted_at`")
    uuids = Counter(record["data"]["uuid"] for record in records)
    if uuids != Counter(list(expected)):
        raise WrongRecordsError(f"{contender.title} emits {len(records):,} records for {len(expected):,} events")
    for record in records:
        data = record["data"]
        for name, difference in differences(data, expected[data["uuid"]]):
            if difference not in contender.differences:
                raise WrongRecordsError(f"{contender.title}: {name} is {data.get(name)!r} ({difference.value})")
