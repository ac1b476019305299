"""Mask the keys of a configuration in every text for Airbyte. Does not import the CDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from source_amplitude.api import secret_forms
from source_amplitude.api.redaction import MASK
from source_amplitude.config import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping


def secret_texts(raw: Mapping[str, Any]) -> list[str]:
    """Return every form of a raw configuration's keys.

    The longest form comes first, since a filter replaces one after the other and one key may contain the other.
    """
    texts = [value if isinstance(value, str) else "" for value in (raw.get("api_key"), raw.get("secret_key"))]
    forms = {
        form for key, secret in (texts, [text.strip() for text in texts]) for form in secret_forms(Keys(key, secret))
    }
    return sorted(forms, key=lambda form: (-len(form), form))


class SecretFilter:
    """Masks the keys of the configuration that was registered last, like the CDK's filter."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def register(self, raw: Mapping[str, Any]) -> None:
        self._texts = secret_texts(raw)

    def mask(self, text: str) -> str:
        for secret in self._texts:
            text = text.replace(secret, MASK)
        return text
