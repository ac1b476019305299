"""Both encoders agree: dicts for any host, RECORD lines for the launcher."""

from __future__ import annotations

import json
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.utils.record_helper import stream_data_to_airbyte_message
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.airbyte.streams.events import encode_records
from source_amplitude.airbyte.streams.record_lines import record_lines, record_suffix
from source_amplitude.encoding import Encoded

EMITTED_AT = 1709294400000

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["uuid", "event_time", "server_upload_time", "event_properties", "$schema"]) | st.text()
events = st.dictionaries(names, json_values, max_size=6)


def encode_lines(body: bytes) -> Encoded[bytes]:
    return record_lines("events").encode(body, record_suffix(EMITTED_AT))


def printed_by_the_cdk(record: dict[str, Any]) -> bytes:
    message = stream_data_to_airbyte_message("events", record)
    assert message.record is not None
    message.record.emitted_at = EMITTED_AT
    return AirbyteEntrypoint.airbyte_message_to_string(message).encode() + b"\n"


def test_a_line_equals_the_cdks_line() -> None:
    line = (
        b'{"uuid":"u1","event_time":"2024-03-01 09:59:57.447000","app":null,"nested":{"app":null,"event_time":"x"},'
        b'"text":"\xc3\xa9 \xf0\x9f\x9a\xb2 \\u2028 \\"","amount":1.50,"big":18446744073709551615}'
    )

    encoded = encode_lines(line)
    records = encode_records(line).payload

    assert json.loads(encoded.payload) == json.loads(printed_by_the_cdk(records[0]))
    assert json.loads(encoded.payload)["record"]["data"] == {
        "uuid": "u1",
        "event_time": "2024-03-01T09:59:57.447000+00:00",
        "nested": {"app": None, "event_time": "x"},
        "text": 'é 🚲 \u2028 "',
        "amount": 1.5,
        "big": 18446744073709551615,
    }


@given(st.lists(events, min_size=1, max_size=5))
def test_both_encoders_agree_on_any_events(batch: list[dict[str, Any]]) -> None:
    lines = [json.dumps(event).encode() for event in batch]

    encoded = encode_lines(b"\n".join(lines))
    ordinary = encode_records(b"\n".join(lines))

    printed = [json.loads(line) for line in encoded.payload.splitlines()]
    assert [message["record"]["data"] for message in printed] == ordinary.payload
    assert (encoded.records, encoded.malformed) == (ordinary.records, ordinary.malformed)
    assert encoded.payload.count(b"\n") == len(batch)


def test_blank_lines_are_ignored_and_malformed_ones_reported() -> None:
    lines = [b"", b'{"a":1}', b"  ", b'{"cut', b"[1]", b"\r", b"{}", b"null", b"\xff"]

    encoded = encode_lines(b"\n".join(lines))
    ordinary = encode_records(b"\n".join(lines))

    assert ordinary.payload == [{"a": 1}, {}]
    assert encoded.malformed == ordinary.malformed == (3, 4, 7, 8)
    assert [json.loads(line)["record"]["data"] for line in encoded.payload.splitlines()] == [{"a": 1}, {}]


def test_a_batch_without_events_has_no_payload() -> None:
    assert encode_lines(b"\nx") == Encoded(b"", 0, 2, (1,))
    assert encode_lines(b"\n\n\n") == Encoded(b"", 0, 3)
