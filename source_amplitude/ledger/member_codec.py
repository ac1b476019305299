"""A compact text format for the members of an hour: the state stays small with hundreds of members per hour.

A member with a usual name takes about eight bytes, in base64: its partition (as the difference from the previous one)
and its content length as variable-length integers, and its CRC-32. Other members are stored under their full name.
"""

from __future__ import annotations

import base64
import heapq
from typing import TYPE_CHECKING, Any

from source_amplitude.members import Fingerprint, MemberFingerprints, name_prefix, parse_member_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_CRC_BYTES = 4
_MOST_SHIFT_BITS = 63  # longer numbers would take quadratic time


def encode_members(members: Mapping[str, Fingerprint], *, project: str, hour: datetime) -> dict[str, Any]:
    """Return a JSON object for the members of one hour: ``packed``, and optionally ``named`` and ``malformed``."""
    compact = MemberFingerprints.of(members)
    prefix = name_prefix(project, hour)
    regular: dict[int, Fingerprint] = {}
    named: dict[str, list[int]] = {}
    for text, seen in compact.others(prefix):
        name = parse_member_name(text)
        if name is not None and text == f"{prefix}{name.partition}.json.gz":
            regular[name.partition] = seen
        else:
            named[text] = [seen.content_bytes, seen.crc32, seen.malformed_lines]
    packed = bytearray()
    malformed: dict[str, int] = {}
    previous = 0
    for partition, seen in heapq.merge(compact.by_partition(prefix), sorted(regular.items())):
        packed += _varint(partition - previous) + _varint(seen.content_bytes)
        packed += seen.crc32.to_bytes(_CRC_BYTES, "little")
        if seen.malformed_lines:
            malformed[str(partition)] = seen.malformed_lines
        previous = partition
    result: dict[str, Any] = {"packed": base64.b64encode(packed).decode()}
    return result | ({"malformed": malformed} if malformed else {}) | ({"named": named} if named else {})


def decode_members(saved: Mapping[str, Any], *, project: str, hour: datetime) -> MemberFingerprints:
    """Return the members that `encode_members` encoded.

    Raises:
        ValueError, KeyError, TypeError, IndexError, OverflowError: ``saved`` was not written by `encode_members`.
    """
    packed = base64.b64decode(saved["packed"], validate=True)
    malformed = saved.get("malformed", {})
    prefix = name_prefix(project, hour)
    members = MemberFingerprints(prefix=prefix)
    for partition, length, crc in _entries(packed):
        members[f"{prefix}{partition}.json.gz"] = _in_range(length, crc, int(malformed.get(str(partition), 0)))
    for name, (length, crc, bad) in saved.get("named", {}).items():
        members[name] = _in_range(int(length), int(crc), int(bad))
    return members


def _in_range(content_bytes: int, crc32: int, malformed_lines: int) -> Fingerprint:
    seen = Fingerprint(content_bytes, crc32, malformed_lines)
    if content_bytes < 0 or malformed_lines < 0 or not 0 <= crc32 < 1 << 8 * _CRC_BYTES:
        raise ValueError(f"a fingerprint is out of range: {seen}")
    return seen


def _entries(packed: bytes) -> Iterator[tuple[int, int, int]]:
    position = partition = 0
    while position < len(packed):
        step, position = _read_varint(packed, position)
        length, position = _read_varint(packed, position)
        end = position + _CRC_BYTES
        if end > len(packed):
            raise ValueError("the packed members end in the middle of a checksum")
        partition += step
        yield partition, length, int.from_bytes(packed[position:end], "little")
        position = end


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits per byte; the eighth bit means that more bytes follow
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(packed: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if shift > _MOST_SHIFT_BITS:
            raise ValueError("a packed number has more than 70 bits")
        byte = packed[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - see _varint
            return number, position
