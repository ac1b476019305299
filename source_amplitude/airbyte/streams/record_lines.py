"""The bytes of Airbyte's RECORD lines, as the CDK's own serializer writes them."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from airbyte_cdk.models import AirbyteMessage

from source_amplitude.encoding import JsonLines


@dataclass
class SerializedRecords(AirbyteMessage):
    """Some RECORD messages of one stream as complete lines for stdout; only our launcher understands it."""

    payload: bytes = b""
    records: int = 0


def record_lines(stream: str) -> JsonLines:
    """Return what makes the bytes that Airbyte's own serialiser would print, line by line."""
    return JsonLines(b'{"type":"RECORD","record":{"stream":' + orjson.dumps(stream) + b',"data":')


def record_suffix(emitted_at_millis: int) -> bytes:
    return b',"emitted_at":%d}}\n' % emitted_at_millis
