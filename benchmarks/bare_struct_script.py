"""The bare script with `msgspec` structs: the limit for a program that does not build nested values.

It takes the arguments of `bare_script`. The encoder checks nothing that msgspec does not check, except UTF-8.
"""

from __future__ import annotations

import json
import time
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Raw

from benchmarks import bare_script
from benchmarks.bare_script import CHUNK_BYTES, HEAD

_PROPERTIES = json.loads((Path(__file__).parents[1] / "source_amplitude/schemas/events.json").read_bytes())[
    "properties"
]
_OBJECTS = [name for name, schema in _PROPERTIES.items() if "object" in schema["type"]]
_NULL = Raw(b"null")
# A field of the schema with a $ is not an identifier.
_NAMES = {name: name.replace("$", "dollar_") for name in _PROPERTIES}
_EVENT = msgspec.defstruct(
    "Event",
    [(_NAMES[name], Raw if name in _OBJECTS else Any, None) for name in _PROPERTIES],
    rename={attribute: name for name, attribute in _NAMES.items()},
    omit_defaults=True,
    gc=False,
)
_get_objects = attrgetter(*_OBJECTS)


def emit_lines(file: IO[bytes]) -> None:
    """Write the records of one member in chunks, as `bare_script.emit_lines` does."""
    decode, encode = msgspec.json.Decoder(_EVENT).decode, msgspec.json.Encoder().encode
    tail = b',"emitted_at":%d}}\n' % (time.time_ns() // 1_000_000)
    between = tail + HEAD
    rest = b""
    while chunk := file.read(CHUNK_BYTES):
        lines = rest + chunk
        end = lines.rfind(b"\n")
        rest = lines[end + 1 :]
        if end < 0:
            continue
        records = []
        for line in BytesIO(lines[: end + 1]):
            if not line.isascii():
                line.decode()
            event = decode(line)
            _normalise_datetimes(event)
            if _NULL in _get_objects(event):
                _leave_nulls_out(event)
            records.append(encode(event))
        bare_script.write(b"".join((HEAD, between.join(records), tail)))
    if rest:
        raise EOFError("the last line has no line feed")


def _normalise_datetimes(event: Any) -> None:  # noqa: ANN401 - a struct; statements are faster than a loop
    if text := event.client_event_time:
        event.client_event_time = text.replace(" ", "T") + "+00:00"
    if text := event.client_upload_time:
        event.client_upload_time = text.replace(" ", "T") + "+00:00"
    if text := event.event_time:
        event.event_time = text.replace(" ", "T") + "+00:00"
    if text := event.processed_time:
        event.processed_time = text.replace(" ", "T") + "+00:00"
    if text := event.server_received_time:
        event.server_received_time = text.replace(" ", "T") + "+00:00"
    if text := event.server_upload_time:
        event.server_upload_time = text.replace(" ", "T") + "+00:00"
    if text := event.user_creation_time:
        event.user_creation_time = text.replace(" ", "T") + "+00:00"


def _leave_nulls_out(event: Any) -> None:  # noqa: ANN401 - a struct
    for name in _OBJECTS:
        if getattr(event, name) == _NULL:
            setattr(event, name, None)


if __name__ == "__main__":
    bare_script.emit_lines = emit_lines
    bare_script.main()
