"""What the first bytes of an archive say, without the rest of it."""

from __future__ import annotations

import struct

from source_amplitude.errors import CorruptArchiveError
from source_amplitude.members import parse_member_name

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_EMPTY_SIGNATURE = b"PK\x05\x06"


def has_members(beginning: bytes) -> bool:
    """Return whether an archive that begins like this has any entry.

    Raises:
        CorruptArchiveError: No archive begins like this.
    """
    if beginning.startswith(_EMPTY_SIGNATURE):
        return False
    if not beginning.startswith(_LOCAL_SIGNATURE):
        raise CorruptArchiveError("The answer's body does not begin like a zip archive.")
    return True


def first_project(beginning: bytes) -> str | None:
    """Return the project that an archive's first entry belongs to; None where its name does not say."""
    if len(beginning) < _LOCAL_HEADER.size:
        return None
    *_, name_bytes, _ = _LOCAL_HEADER.unpack_from(beginning)
    name = parse_member_name(beginning[_LOCAL_HEADER.size :][:name_bytes].decode("utf-8", "replace"))
    return None if name is None else name.project
