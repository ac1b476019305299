"""Batches of raw lines to Airbyte records: as dicts for any host, or as finished RECORD lines for our launcher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_amplitude.export import Encoded
from source_amplitude.records import (
    NotAnEventError,
    Record,
    dump_record,
    exact_record_from_line,
    has_huge_integer,
    may_hold_huge_number,
    record_from_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_amplitude.clock import Clock


@dataclass
class SerializedRecords(AirbyteMessage):
    """Some RECORD messages of one stream as the bytes to write to stdout; only our launcher understands it.

    Attributes:
        payload: Complete lines.
        records: How many.
    """

    payload: bytes = b""
    records: int = 0


def serialized_records(stream: str, payload: bytes, records: int) -> SerializedRecords:
    """Return a message that passes through the CDK's stream loop as one record of ``stream``."""
    record = AirbyteRecordMessage(stream=stream, data={}, emitted_at=0)
    return SerializedRecords(type=Type.RECORD, record=record, payload=payload, records=records)


def encode_records(lines: list[bytes]) -> Encoded[list[Record]]:
    """Return the records of ``lines``; blank lines are no lines."""
    records: list[Record] = []
    malformed: list[int] = []
    unread: list[str] = []
    for position, line in enumerate(lines):
        read = exact_record_from_line if has_huge_integer(line) else record_from_line
        try:
            records.append(read(line, unread))
        except NotAnEventError:
            if line.strip():
                malformed.append(position)
    return Encoded(records, len(records), tuple(malformed), len(unread))


def line_encoder(stream: str, clock: Clock) -> Callable[[list[bytes]], Encoded[bytes]]:
    """Return an encoder whose payloads are the bytes that Airbyte's own serialiser would print, line by line."""
    head = b'{"type":"RECORD","record":{"stream":' + orjson.dumps(stream) + b',"data":'

    def encode(lines: list[bytes]) -> Encoded[bytes]:
        tail = b',"emitted_at":%d}}\n' % int(clock.now().timestamp() * 1000)
        pieces: list[bytes] = []
        malformed: list[int] = []
        unread: list[str] = []
        append = pieces.append
        for position, line in enumerate(lines):
            try:
                data = dump_record(record_from_line(line, unread))
                if may_hold_huge_number(data) and has_huge_integer(line):
                    data = dump_record(exact_record_from_line(line))
            except NotAnEventError:
                if line.strip():
                    malformed.append(position)
                continue
            append(data)
        if not pieces:
            return Encoded(b"", 0, tuple(malformed))
        payload = b"".join((head, (tail + head).join(pieces), tail))
        return Encoded(payload, len(pieces), tuple(malformed), len(unread))

    return encode
