"""Bytes on disk to verified lines: the zip of an export, its gzip members, their lines. Knows no network."""

from source_amplitude.archive.lines import LineBatch, iter_line_batches, skip_verified_prefix, verified
from source_amplitude.archive.zip_archive import Archive, Content, Member, open_archive

__all__ = [
    "Archive",
    "Content",
    "LineBatch",
    "Member",
    "iter_line_batches",
    "open_archive",
    "skip_verified_prefix",
    "verified",
]
