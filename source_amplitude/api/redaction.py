"""Masks API keys in logs and messages, in every form that a text may contain them."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from source_amplitude.config import Keys

MASK = "****"
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_ADDRESS = re.compile(
    r"(?P<scheme>\b(?:https?|ftp|socks\w?))://(?:[^\s/?#\"'<>@]*@)*(?P<host>[^\s/?#\"'<>@]*)(?P<rest>/?[^\s\"'<>()]*)",
    re.IGNORECASE,
)
# The path of an address in texts of libraries ("Max retries exceeded with url: /path"), and any path with a query.
_PATH = re.compile(r"(?<=with url: )\S+|(?<![^\s\"'=(<>])/[^\s\"'<>?]*\?[^\s\"'<>]+")


def secret_forms(keys: Keys) -> tuple[str, ...]:
    """Return every form of each key, and of both as HTTP Basic sends them."""
    plain = [text for text in (keys.api_key, keys.secret_key) if text]
    return forms_of([*plain, f"{keys.api_key}:{keys.secret_key}"] if plain else [])


def forms_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return every form of the secrets, longest first: plain, base64, percent-encoded, escaped."""
    forms = set[str]()
    for text in secrets:
        data = text.encode("utf-8", "surrogateescape")  # environment variables may not be valid UTF-8
        forms.update((text, quote(data), quote(data, safe=""), quote_plus(data)))
        forms.update((repr(text)[1:-1], json.dumps(text)[1:-1]))
        forms.add(base64.b64encode(data).decode().rstrip("="))
    return tuple(sorted(forms - {""}, key=lambda form: (-len(form), form)))


def redact(text: str, keys: Keys) -> str:
    """Return ``text`` with every form of the keys masked, in any letter case, and addresses cut to their hosts."""
    return masked(without_addresses(text), secret_forms(keys))


def without_addresses(text: str) -> str:
    """Return ``text`` with each URL cut to scheme and host: user names, paths and queries may be secrets."""
    text = _ADDRESS.sub(lambda found: f"{found['scheme']}://{found['host']}" + ("/..." if found["rest"] else ""), text)
    return _PATH.sub("/...", text)


def printable(text: str) -> str:
    """Return ``text`` with control characters, line ends and bidirectional marks as escapes, for one line of a log."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "backslashreplace").decode() for each in text
    )


def without_controls(text: str) -> str:
    """Return ``text`` with control characters, line ends and bidirectional overrides as escapes, for a file or a page.

    Unlike `printable`, it keeps unusual spaces, and the joiners in emoji and in Persian.
    """
    return _CONTROLS.sub(lambda found: printable(found[0]), text)


def printable_lines(text: str) -> str:
    """Return ``text`` like `printable`, but with its line feeds."""
    return "\n".join(map(printable, text.split("\n")))


def masked(text: str, forms: Iterable[str]) -> str:
    """Return ``text`` with these texts masked, in any letter case."""
    for form in forms:
        text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
    return text
