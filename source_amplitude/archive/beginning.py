"""What the first bytes of an archive say, without the rest of it."""

from __future__ import annotations

import struct

from source_amplitude.errors import CorruptArchiveError
from source_amplitude.members import MemberName, parse_member_name

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


def first_member(beginning: bytes) -> MemberName | None:
    """Return the name of an archive's first member; None where its first bytes do not say, or it has another form."""
    position = 0
    while len(beginning) >= position + _LOCAL_HEADER.size and beginning.startswith(_LOCAL_SIGNATURE, position):
        *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(beginning, position)
        position += _LOCAL_HEADER.size
        name = beginning[position : position + name_bytes].decode("utf-8", "replace")
        if not name.endswith("/"):  # a folder, which has no content
            return parse_member_name(name)
        position += name_bytes + extra_bytes
    return None
