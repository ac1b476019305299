"""Ids that Amplitude generates, here derived from a seed for reproducible runs."""

from __future__ import annotations

import hashlib
import uuid

# Amplitude ids are above 2^32 and have up to 13 digits today (reference 7).
LOWEST_AMPLITUDE_ID = 10**11
HIGHEST_AMPLITUDE_ID = 10**13


def derive_uuid(*parts: object) -> str:
    """Return a version 4 UUID, the form of `uuid` since 2023 (reference 6.6)."""
    return str(uuid.UUID(bytes=_digest(*parts)[:16], version=4))


def derive_amplitude_id(*parts: object) -> int:
    return LOWEST_AMPLITUDE_ID + derive_number(HIGHEST_AMPLITUDE_ID - LOWEST_AMPLITUDE_ID, *parts)


def derive_device_id(user_id: str) -> str:
    """Return the device id for events without one: a version 5 UUID in recordings (reference 6.3)."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, user_id))


def derive_number(below: int, *parts: object) -> int:
    """Return a number from 0 to ``below`` - 1."""
    return int.from_bytes(_digest(*parts)[:8], "big") % below


def derive_text(*parts: object) -> str:
    """Return 32 hexadecimal characters."""
    return _digest(*parts).hex()[:32]


def _digest(*parts: object) -> bytes:
    return hashlib.sha256("\x00".join(map(str, parts)).encode(errors="surrogatepass")).digest()
