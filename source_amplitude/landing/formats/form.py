"""What a format makes of a member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Protocol

from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.archive import Archive, Member
    from source_amplitude.members import Fingerprint
    from source_amplitude.records import Findings


@dataclass(frozen=True)
class Rendered:
    """A member in the form in which it is landed, and what is in it.

    Attributes:
        body: The object's bytes from its start; whoever asked for them closes it.
        object_bytes: How many these are.
        crc32: CRC-32 of them.
        events: Events in the object.
        content: Length, CRC-32 and malformed lines of the member's unpacked content.
        malformed_at: Line numbers from 1 of the first few malformed lines.
        event_types: Events by type; empty where they were not counted.
        findings: What was odd about the lines that became events; none for raw objects, which hold them as they came.
    """

    body: IO[bytes]
    object_bytes: int
    crc32: int
    events: int
    content: Fingerprint
    malformed_at: tuple[int, ...] = ()
    event_types: Mapping[str, int] = field(default_factory=dict)
    findings: Findings = NO_FINDINGS


class Format(Protocol):
    """A form in which members are landed; used by several threads at once.

    Attributes:
        name: As in ``--format`` and in manifests.
        suffix: What object names end with.
        hours_at_once: How many threads are worth their memory.
    """

    name: str
    suffix: str
    hours_at_once: int

    def render(self, archive: Archive, member: Member) -> Rendered:
        """Return the object that ``member`` becomes, once all of its content has proved right.

        Memory stays near a batch of lines, whatever the member's size.

        Raises:
            CorruptArchiveError: The member's gzip data is damaged; nothing of it may be landed.
            DiskFullError: The disk has no room for the object.
        """
        ...
