from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_amplitude.api import Host, Request, Response
from source_amplitude.config import Keys
from source_amplitude.errors import GarbledResponseError
from unit_tests.records.reading import without_lone_surrogates


def test_a_call_is_a_plain_request_to_the_usual_host() -> None:
    assert Request("/api/3/cohorts", "list of cohorts") == Request(
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
        (b'\xef\xbb\xbf{"data": []}', {"data": []}),
    ],
)
def test_a_body_is_decoded(body: bytes, value: object) -> None:
    assert Response(200, body).json("users") == value


@pytest.mark.parametrize("body", [rb'{"a":["x\ud800"]}', b'{"a":["x\xed\xa0\x80"]}'])
def test_a_lone_surrogate_is_replaced_and_said(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert Response(200, body).json("users") == {"a": ["x\ufffd"]}
    assert caplog.messages == ["1 lone surrogate in the response to users became U+FFFD."]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "HTTP 200, text/html, an empty body"),
        (b" \r\n", "HTTP 200, text/html, an empty body"),
        (b"\n  <html>", 'HTTP 200, text/html, "<html>"'),
        (b'{"data": [1, 2', "HTTP 200, 14 bytes that start like JSON"),
        (b"Too Many\tRequests", r'HTTP 200, text/html, "Too Many\tRequests"'),
        (b'"caf\xe9"', r'HTTP 200, text/html, "\"caf\ufffd\""'),
        (b'\xef\xbb\xbf{"data": [1, 2', "HTTP 200, 17 bytes that start like JSON"),
        (b"[" * 100_000, "HTTP 200, 100,000 bytes that start like JSON"),
        (b"9" * 5000, 'HTTP 200, text/html, "' + "9" * 200 + '..."'),
        (b"PK\x03\x04", "HTTP 200, text/html, binary data"),
        (b"<a>echo of ****</a>", 'HTTP 200, text/html, "<a>echo of ****</a>"'),
        (b"<a>echo of key</a>", 'HTTP 200, text/html, "<a>echo of ****</a>"'),
        (b'"event_type": "Made Up"', "HTTP 200, text/html, text with event data (not shown)"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_invalid_json_is_quoted_unless_it_may_contain_data(body: bytes, found: str) -> None:
    answer = Response(200, body, content_type="text/html; charset=utf-8", keys=Keys("key", "secret"))

    with pytest.raises(GarbledResponseError) as caught:
        answer.json("active_users of 2026-03-01")

    assert caught.value.what == f"The response to active_users of 2026-03-01 is not valid JSON ({found})."


@given(st.binary(max_size=30) | st.text(alphabet='{}[]",:0123456789.eE-nulltrue ', max_size=20).map(str.encode))
@example(b'{"":"\\ud800"}')
@example(b'{"":"\xe1\x80\x80\xed\xa0\x80"}')
@settings(max_examples=300)
def test_any_body_is_decoded_or_garbled(body: bytes) -> None:
    try:
        value = Response(200, body).json("users")
    except GarbledResponseError:
        return

    decoded = json.loads(body.decode(errors="surrogatepass").removeprefix("\ufeff"))
    expected = json.loads(without_lone_surrogates(json.dumps(decoded, ensure_ascii=False)))
    assert json.dumps(value) == json.dumps(expected)
