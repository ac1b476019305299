"""What may appear in logs and messages: nothing that gives a key away."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from source_amplitude.config import Keys

MASK = "****"


def secret_forms(keys: Keys) -> tuple[str, ...]:
    """Return every text that gives a key away, longest first: plain, base64, percent-encoded, escaped."""
    plain = [text for text in (keys.api_key, keys.secret_key) if text]
    pair = f"{keys.api_key}:{keys.secret_key}" if plain else ""
    forms = {*plain, pair}
    for text in (*plain, pair):
        forms.update((quote(text), quote(text, safe=""), quote_plus(text), repr(text)[1:-1], json.dumps(text)[1:-1]))
        forms.add(base64.b64encode(text.encode()).decode().rstrip("="))
    return tuple(sorted(forms - {""}, key=lambda form: (-len(form), form)))


def redact(text: str, keys: Keys) -> str:
    """Return ``text`` with every form of the keys masked, in any letter case."""
    for form in secret_forms(keys):
        text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
    return text
