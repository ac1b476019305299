from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.api import Call, Fetched, Host
from source_amplitude.errors import GarbledAnswerError


def test_a_call_is_a_plain_request_to_the_usual_host() -> None:
    assert Call("/api/3/cohorts", "list of cohorts") == Call(
        path="/api/3/cohorts",
        what="list of cohorts",
        query=(),
        quota=None,
        cost=1,
        host=Host.REST,
        may_redirect=False,
    )


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"data": [1, 2.5, null]}', {"data": [1, 2.5, None]}),
        (b"\r\n [] \n", []),
        (b"null", None),
        ('"é\U0001f600"'.encode(), "é\U0001f600"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_a_body_is_decoded(body: bytes, value: object) -> None:
    assert Fetched(200, body).json("users") == value


@pytest.mark.parametrize("body", [rb'{"a":["x\ud800"]}', b'{"a":["x\xed\xa0\x80"]}'])
def test_a_lone_surrogate_is_replaced_and_said(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert Fetched(200, body).json("users") == {"a": ["x\ufffd"]}
    assert caplog.messages == ["1 lone surrogates in what Amplitude answered users became U+FFFD."]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "an empty body"),
        (b" \r\n", "an empty body"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (b"\n  <html>", "an HTML page"),
        (b'{"data": [1, 2', "14 bytes of another form"),
        (b"Too Many Requests", "17 bytes of another form"),
        (b'"\xff"', "3 bytes of another form"),
        (b"[" * 100_000, "100,000 bytes of another form"),
        (b"9" * 5000, "5,000 bytes of another form"),
        (b"PK\x03\x04", "4 bytes of another form"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_json_is_garbled_and_not_shown(body: bytes, found: str) -> None:
    with pytest.raises(GarbledAnswerError) as caught:
        Fetched(200, body).json("active_users of 2026-03-01")

    assert caught.value.what == f"Amplitude answered active_users of 2026-03-01 with {found} instead of JSON."


@given(st.binary(max_size=30) | st.text(alphabet='{}[]",:0123456789.eE-nulltrue ', max_size=20).map(str.encode))
@settings(max_examples=300)
def test_any_body_is_decoded_or_garbled(body: bytes) -> None:
    try:
        value = Fetched(200, body).json("users")
    except GarbledAnswerError:
        return

    assert json.dumps(value) == json.dumps(json.loads(body.decode()))
