"""Encode Airbyte RECORD lines, byte for byte like the CDK's serializer."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from airbyte_cdk.models import AirbyteMessage

from source_amplitude.encoding import JsonLines


@dataclass
class SerializedRecords(AirbyteMessage):
    """A batch of one stream's RECORD messages as complete lines; only the launcher can write it."""

    payload: bytes = b""
    records: int = 0


def record_lines(stream: str) -> JsonLines:
    """Return the encoder of a stream's RECORD lines."""
    return JsonLines(b'{"type":"RECORD","record":{"stream":' + orjson.dumps(stream) + b',"data":')


def record_suffix(emitted_at_millis: int) -> bytes:
    return b',"emitted_at":%d}}\n' % emitted_at_millis
