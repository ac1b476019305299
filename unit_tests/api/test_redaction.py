from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest
import requests_mock
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from source_amplitude.api import AmplitudeClient
from source_amplitude.api.redaction import MASK, printable, redact, secret_forms, without_addresses, without_controls
from source_amplitude.config import Keys, Region
from source_amplitude.errors import ForeignResponseError

KEYS = Keys("0123abcd", "Se/cr+et%")

KEY_TEXTS = st.text(
    st.sampled_from("%+/=.*?[](){}^$|\\&:@ \"'é√a1Z~-_") | st.characters(exclude_categories=["Cs"]),
    min_size=4,
    max_size=24,
).filter(lambda text: text == text.strip() and "*" not in text[:2] + text[-2:])


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_every_form_of_both_keys_and_of_the_pair_is_masked() -> None:
    forms = [
        "0123abcd",
        "Se/cr+et%",
        "0123abcd:Se/cr+et%",
        "MDEyM2FiY2Q=",
        "U2UvY3IrZXQl",
        "MDEyM2FiY2Q6U2UvY3IrZXQl",
        "Se/cr%2Bet%25",
        "Se%2Fcr%2Bet%25",
        "Se%2fcr%2bet%25",
        "0123ABCD",
        "0123abcd%3ASe%2Fcr%2Bet%25",
    ]

    assert [redact(f"<{form}>", KEYS).rstrip("=>") for form in forms] == ["<****"] * len(forms)


def test_header_url_and_python_text_are_masked() -> None:
    text = "GET https://0123abcd:Se%2Fcr%2Bet%25@amplitude.com/api with Basic MDEyM2FiY2Q6U2UvY3IrZXQl failed"

    assert redact(text, KEYS) == "GET https://amplitude.com/... with Basic **** failed"


def test_a_text_without_keys_stays_as_it_is() -> None:
    assert redact("Amplitude answered with HTTP 500.", KEYS) == "Amplitude answered with HTTP 500."
    assert redact("", KEYS) == ""


@pytest.mark.parametrize("keys", [Keys("", ""), Keys("", "secret"), Keys("api", "")])
def test_empty_keys_mask_nothing_by_themselves(keys: Keys) -> None:
    assert "" not in secret_forms(keys)
    assert redact("nothing to hide", keys) == "nothing to hide"


def test_longest_forms_come_first() -> None:
    forms = secret_forms(Keys("abc", "abcdef"))

    assert list(forms) == sorted(forms, key=lambda form: (-len(form), form))
    assert redact("abcdef and abc", Keys("abc", "abcdef")) == "**** and ****"


@given(KEY_TEXTS, KEY_TEXTS, st.text(max_size=10), st.text(max_size=10))
@settings(deadline=None, max_examples=150)
def test_no_form_of_any_keys_survives(api_key: str, secret_key: str, before: str, after: str) -> None:
    assume(not any(key in MASK * 3 for key in (api_key, secret_key)))
    keys = Keys(api_key, secret_key)

    for text in (api_key, secret_key, f"{api_key}:{secret_key}"):
        forms = [
            text,
            quote(text),
            quote(text, safe=""),
            quote(text, safe="").replace("%2F", "%2f"),
            quote_plus(text),
            repr(text)[1:-1],
            b64(text),
            b64(text).rstrip("="),
        ]
        for form in forms:
            masked = redact(f"{before} <{form}> {after}", keys)
            assert f"<{form.rstrip('=')}" not in masked
            for key in (api_key, secret_key):
                assert key not in masked.replace(MASK, "\0")


@given(KEY_TEXTS, KEY_TEXTS, st.text())
@settings(deadline=None)
def test_masking_never_fails_and_never_unmasks(api_key: str, secret_key: str, text: str) -> None:
    assume(not any(key in MASK * 3 for key in (api_key, secret_key)))
    masked = redact(text, Keys(api_key, secret_key))

    assert api_key not in masked.replace(MASK, "\0")
    assert secret_key not in masked.replace(MASK, "\0")


def test_key_at_the_cut_of_a_quote_is_masked_whole() -> None:
    keys = Keys("an-api-key", "0123456789abcdef0123456789abcdef")
    client = AmplitudeClient(base_url="https://amplitude.test", region=Region.STANDARD, keys=keys)
    body = "x " * 94 + f"key {keys.secret_key}"

    with requests_mock.Mocker() as amplitude:
        amplitude.get(requests_mock.ANY, status_code=418, text=body)
        with pytest.raises(ForeignResponseError) as caught:
            client.check_keys()

    assert keys.secret_key[:10] not in caught.value.what


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://user:password@proxy.example.com:3128", "at https://proxy.example.com:3128"),
        ("GET https://s3.example.com/b/k?X-Amz-Signature=5ec4e7&x=1 failed", "GET https://s3.example.com/... failed"),
        ("(https://api.example.com/token/abcdef)", "(https://api.example.com/...)"),
        ("http://a:b@c@host/x", "http://host/..."),
        ("s3://bucket/prefix and az://container/prefix", "s3://bucket/prefix and az://container/prefix"),
        ("HTTPS://HOST", "HTTPS://HOST"),
    ],
)
def test_addresses_are_cut_to_their_hosts(text: str, shown: str) -> None:
    assert without_addresses(text) == shown
    assert redact(text, KEYS) == shown


def test_control_characters_become_escapes() -> None:
    assert printable("a\x1b[31mb\nc\u202ed\ud800 \u00e9") == "a\\x1b[31mb\\nc\\u202ed\\ud800 \u00e9"


def test_files_keep_joiners_and_lose_control_characters() -> None:
    assert without_controls("a\x1b[31m\tb\n\x9bc\u202ed\ud800 👩\u200d🎨\u3000é") == (
        "a\\x1b[31m\\tb\\n\\x9bc\\u202ed\\ud800 👩\u200d🎨\u3000é"
    )
