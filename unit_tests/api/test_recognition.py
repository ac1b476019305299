from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.api.responses import is_error_envelope, quoted, says_no_files
from source_amplitude.config import Keys

KEYS = Keys("an-api-key", "0123456789abcdef0123456789abcdef")
RECORDED = {
    "error": {
        "http_code": 404,
        "type": "unspecified",
        "message": "Unspecified Error",
        "metadata": {"details": "Raw data files were not found."},
    }
}
GATEWAY_PAGE = b"<html><head><title>404 Not Found</title></head><body>nginx</body></html>"


@pytest.mark.parametrize(
    ("body", "says_so"),
    [
        (RECORDED, True),
        ({"error": {"http_code": 404}}, True),
        ("Raw data files were not found.", True),
        ("No raw  DATA files exist for this hour", True),
        ({"error": {"http_code": 403}}, False),
        ({"error": {"message": "not found"}}, False),
        ({"error": "not found"}, False),
        ({"code": 404, "error": None}, False),
        ([{"error": {"http_code": 404}}], False),
        (GATEWAY_PAGE, False),
        ("404 page not found\n", False),
        ("", False),
        ("[" * 60_000, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_only_envelope_and_phrase_mean_no_files(body: object, *, says_so: bool) -> None:
    assert says_no_files(encoded(body)) is says_so


@pytest.mark.parametrize(
    ("body", "is_envelope"),
    [
        (RECORDED, True),
        ({"success": False, "errors": [{"message": "Not found"}]}, True),
        ({"statusCode": 404, "message": "No table", "errorCode": "LOOKUP_TABLE_DOES_NOT_EXIST"}, True),
        ({"status": "ok"}, False),
        ({}, False),
        (GATEWAY_PAGE, False),
        ("Not found", False),
        (b"\xff", False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_errors_of_the_rest_apis_are_recognised_by_their_form(body: object, *, is_envelope: bool) -> None:
    assert is_error_envelope(encoded(body)) is is_envelope


@pytest.mark.parametrize(
    ("content_type", "body", "quote"),
    [
        ("text/html; charset=utf-8", b" <p>Sign\nin</p> ", r'HTTP 404, text/html, "<p>Sign\nin</p>"'),
        ("", b"404 page not found\n", 'HTTP 404, "404 page not found"'),
        ("text/html", b"", "HTTP 404, text/html, an empty body"),
        ("te\x1bxt/html", b"x" * 201, 'HTTP 404, text/html, "' + "x" * 200 + '..."'),
        ("text/plain", b"\x1b[31mred\x07 words", r'HTTP 404, text/plain, "\u001b[31mred\u0007 words"'),
        ("application/gzip", bytes(range(256)), "HTTP 404, application/gzip, binary data"),
        ("text/plain", KEYS.secret_key.encode() * 8, 'HTTP 404, text/plain, "' + "****" * 8 + '"'),
        (
            "text/html",
            b"<a href='https://b.s3.amazonaws.com/k?X-Amz-Signature=5ec4e7&amp;x=1'>",
            "HTTP 404, text/html, \"<a href='https://b.s3.amazonaws.com/...'>\"",
        ),
        (
            "text/plain",
            b'{"user_properties": {"email"',
            "HTTP 404, text/plain, text with event data (not shown)",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_foreign_quote_hides_keys_controls_and_events(content_type: str, body: bytes, quote: str) -> None:
    assert quoted(404, content_type, body, KEYS) == quote


def test_redirect_quote_hides_the_page() -> None:
    assert quoted(302, "text/html", b"https://bucket/k?sig=5ec4e7", KEYS) == "HTTP 302, text/html"


@given(st.integers(0, 220), st.sampled_from([KEYS.api_key, KEYS.secret_key]))
def test_no_part_of_a_key_is_left_where_a_quote_is_cut(before: int, key: str) -> None:
    quote = quoted(404, "text/plain", b"x" * before + key.encode(), KEYS)

    assert not any(key[: length + 4] in quote for length in range(len(key)))


def encoded(body: Any) -> bytes:  # noqa: ANN401 - any JSON value, text or bytes
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
