"""Damage a finished zip in ways that a reader must detect. Pure: bytes to bytes.

Works on whole archives in memory; test archives are small.
"""

from __future__ import annotations

import io
import struct
import zipfile

EMPTY_ARCHIVE = b"PK\x05\x06" + bytes(18)

# Offsets and sizes from the ZIP specification (APPNOTE 4.3.7, 4.3.12, 4.3.16).
_LOCAL_HEADER_BYTES = 30
_LOCAL_NAME_LENGTH_AT = 26
_DIRECTORY_ENTRY_BYTES = 46
_DIRECTORY_NAME_LENGTH_AT = 28
_DIRECTORY_COMMENT_LENGTH_AT = 32
_END_RECORD_BYTES = 22
_END_DIRECTORY_SIZE_AT = 12
_MAX_COMMENT_BYTES = 0xFFFF


def clip_archive(archive: bytes, lost_members: int) -> bytes:
    """Hide the last entries of the directory; the archive still opens.

    The comment length of the last visible entry is changed to cover the entries after it.
    ``zipfile`` then lists fewer members without an error; the end record still counts all.
    If no entry stays visible, the directory gets size zero instead.
    """
    end = len(archive) - _END_RECORD_BYTES
    entries = _directory_entries(archive)
    visible = max(len(entries) - lost_members, 0)
    damaged = bytearray(archive)
    if visible == 0:
        struct.pack_into("<I", damaged, end + _END_DIRECTORY_SIZE_AT, 0)
        return bytes(damaged)
    hidden_bytes = end - entries[visible] if visible < len(entries) else 0
    if hidden_bytes > _MAX_COMMENT_BYTES:
        raise ValueError(f"Cannot hide {lost_members} members: their entries exceed the largest comment length.")
    struct.pack_into("<H", damaged, entries[visible - 1] + _DIRECTORY_COMMENT_LENGTH_AT, hidden_bytes)
    return bytes(damaged)


def flip_byte(archive: bytes, member: int) -> bytes:
    """Change one byte in the middle of a member's data, so that the zip's CRC does not match."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        entry = _file_at(source, member)
    name_bytes, extra_bytes = struct.unpack_from("<HH", archive, entry.header_offset + _LOCAL_NAME_LENGTH_AT)
    data_at = entry.header_offset + _LOCAL_HEADER_BYTES + name_bytes + extra_bytes
    damaged = bytearray(archive)
    damaged[data_at + entry.compress_size // 2] ^= 0xFF
    return bytes(damaged)


def break_member(archive: bytes, member: int, how: str) -> bytes:
    """Damage (``damaged``) or truncate (``cut``) a member's gzip data in its middle; the zip's CRC stays correct."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w") as copy:
        broken = _file_at(source, member)
        for entry in source.infolist():
            data = source.read(entry)
            if entry is broken:
                middle = len(data) // 2
                rest = b"" if how == "cut" else bytes(byte ^ 0xFF for byte in data[middle : middle + 4])
                data = data[:middle] + rest + (b"" if how == "cut" else data[middle + 4 :])
            copy.writestr(entry, data)
    return target.getvalue()


def _file_at(source: zipfile.ZipFile, member: int) -> zipfile.ZipInfo:
    """Return the file at a position, or the last file if there are fewer."""
    files = _files_of(source)
    return files[min(member, len(files) - 1)]


def _files_of(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [entry for entry in archive.infolist() if not entry.is_dir()]


def _directory_entries(archive: bytes) -> list[int]:
    """Return the offset of each entry of the central directory."""
    size_bytes, offset = struct.unpack_from("<II", archive, len(archive) - _END_RECORD_BYTES + 12)
    end = offset + size_bytes
    offsets = []
    while offset < end:
        offsets.append(offset)
        lengths = struct.unpack_from("<HHH", archive, offset + _DIRECTORY_NAME_LENGTH_AT)
        offset += _DIRECTORY_ENTRY_BYTES + sum(lengths)
    return offsets
