"""Bytes on disk to verified lines: the zip of an export, its gzip members, their lines. Knows no network."""

from source_amplitude.archive.zip_archive import Archive, Content, Member, open_archive
from source_amplitude.archive.lines import LineBatch, iter_line_batches, proven, skip_proven_prefix

__all__ = [
    "Archive",
    "Content",
    "LineBatch",
    "Member",
    "iter_line_batches",
    "open_archive",
    "proven",
    "skip_proven_prefix",
]
