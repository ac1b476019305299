"""From bytes on disk to verified lines: the zip archive of an export, its gzip members and their lines. No network."""

from source_amplitude.archive.lines import LineBatch, iter_line_batches, skip_verified_prefix, verified
from source_amplitude.archive.member_list import Member, MemberList
from source_amplitude.archive.zip_archive import Archive, Content, open_archive

__all__ = [
    "Archive",
    "Content",
    "LineBatch",
    "Member",
    "MemberList",
    "iter_line_batches",
    "open_archive",
    "skip_verified_prefix",
    "verified",
]
