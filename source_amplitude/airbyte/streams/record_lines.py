"""Batches of raw lines to Airbyte records: as dicts for any host, or as finished RECORD lines for our launcher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_amplitude.encoding import Encoded, JsonLines, encode_line_by_line

if TYPE_CHECKING:
    from source_amplitude.records import Record


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


def encode_records(body: bytes) -> Encoded[list[Record]]:
    """Return the records of the lines in ``body``; blank lines are no lines."""
    return encode_line_by_line(body, lambda record: record)


def record_lines(stream: str) -> JsonLines:
    """Return what makes the bytes that Airbyte's own serialiser would print, line by line."""
    return JsonLines(b'{"type":"RECORD","record":{"stream":' + orjson.dumps(stream) + b',"data":')


def record_tail(emitted_at_millis: int) -> bytes:
    """Return what ends each RECORD line of a batch."""
    return b',"emitted_at":%d}}\n' % emitted_at_millis
