"""The stored hours of one project: their members, and all ways to change them.

A member's bytes are gzip. Ingested lines are appended as another gzip stream, so the cost depends on
the new lines only. Before a member is listed or exported, its streams are recompressed into one, because
Amplitude's members are single gzip streams (reference 1.5).
"""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplitude_emulator.clock import require_utc
from amplitude_emulator.hours import MemberName, file_hour, parse_member_name
from amplitude_emulator.repeated_members import repeat_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from amplitude_emulator.blobs import Blobs
    from amplitude_emulator.repeated_members import RepeatedMember

GZIP_LEVEL = 6


@dataclass(frozen=True)
class Member:
    """The current state of one member. ``revision`` changes whenever its bytes change."""

    name: MemberName
    size_bytes: int
    revision: int


class HourStore:
    """Members by hour. Thread-safe.

    An hour is given as any aware datetime within it. A partition is the number after ``#`` in a
    member's name. The next request sees a change; a running download does not.
    """

    def __init__(self, project_id: int, blobs: Blobs) -> None:
        self.project_id = project_id
        self._blobs = blobs
        self._lock = threading.RLock()
        self._revision = 0
        self._members: dict[datetime, dict[int, Member]] = {}
        self._in_several_streams: set[MemberName] = set()
        self._repeated: dict[MemberName, RepeatedMember] = {}
        self._published_from: dict[datetime, datetime] = {}
        for text in blobs.names():
            name = parse_member_name(text)
            if name is not None and name.project_id == project_id:
                self._note(name)
                self._in_several_streams.add(name)

    # Queries

    def members(self, start: datetime | None = None, end: datetime | None = None) -> list[Member]:
        """Return the members of the hours from ``start`` up to ``end``, exclusive, in the archive's order.

        For days with day files, any hour of the day selects the day's members.
        """
        with self._lock:
            first = None if start is None else file_hour(start)
            hours = [h for h in self._members if (first is None or h >= first) and (end is None or h < end)]
            for hour in hours:
                self._pack_hour(hour)
            members = [member for hour in hours for member in self._members[hour].values()]
        return sorted(members, key=lambda member: member.name.archive_order)

    def member(self, hour: datetime, partition: int) -> Member:
        """Return one member.

        Raises:
            KeyError: The hour has no member of that partition.
        """
        with self._lock:
            self._pack_hour(file_hour(hour))
            return self._member(hour, partition)

    def lines(self, start: datetime | None = None, end: datetime | None = None) -> list[bytes]:
        """Return the raw lines of these hours without newlines: the expected content of an export.

        Members are in the archive's order, lines in their member's order. A member that is not valid gzip
        has no lines.
        """
        return [line for member in self.members(start, end) for line in self._lines_of(member.name)]

    def events(self, start: datetime | None = None, end: datetime | None = None) -> list[dict[str, object]]:
        """Return the decoded lines of these hours. Raise an error if a line is not a JSON object."""
        return [json.loads(line) for line in self.lines(start, end)]

    @property
    def stored_bytes(self) -> int:
        """The total size of all members."""
        with self._lock:
            return sum(member.size_bytes for hour in self._members.values() for member in hour.values())

    def read(self, name: MemberName) -> bytes | None:
        """Return a member's gzip bytes, or None if it was removed in the meantime.

        The bytes of a repeated member (`repeated`) are generated in memory, whatever their size.
        """
        with self._lock:
            if name.partition not in self._members.get(name.hour, {}):
                return None
            repeated = self._repeated.get(name)
            return self._blobs.read(str(name)) if repeated is None else repeated.packed.read_all()

    def repeated(self, name: MemberName) -> RepeatedMember | None:
        """Return a member created by `put_repeated`; None for any other."""
        with self._lock:
            return self._repeated.get(name)

    def published_from(self, hour: datetime, delay: timedelta) -> datetime:
        """Return when an hour is published: at the time set by `publish_at`, else ``delay`` after its start."""
        with self._lock:
            return self._published_from.get(file_hour(hour), file_hour(hour) + delay)

    # Changes

    def add_member(
        self, hour: datetime, lines: Iterable[bytes | Mapping[str, object]], partition: int | None = None
    ) -> Member:
        """Add a new member; the default partition is the highest one plus 7.

        Raises:
            ValueError: The hour already has a member of that partition.
        """
        with self._lock:
            taken = self._members.get(file_hour(hour), {})
            number = partition if partition is not None else max(taken, default=-7) + 7
            if number in taken:
                raise ValueError(f"{taken[number].name} already exists.")
            return self._write(hour, number, compress_lines(lines))

    def append_lines(self, hour: datetime, partition: int, lines: Iterable[bytes | Mapping[str, object]]) -> None:
        """Append lines to a member; create it if it is missing."""
        data = compress_lines(lines)
        with self._lock:
            if partition not in self._members.get(file_hour(hour), {}):
                self._write(hour, partition, data)
                return
            name = self._member_of_bytes(hour, partition).name
            self._blobs.append(str(name), data)
            self._in_several_streams.add(name)
            self._note(name)

    def rewrite_lines(self, hour: datetime, partition: int, lines: Iterable[bytes | Mapping[str, object]]) -> Member:
        """Replace all lines of an existing member, as Amplitude's repair and deletion jobs do (1.2)."""
        return self.put_gzip(hour, self._member(hour, partition).name.partition, compress_lines(lines))

    def recompress(self, hour: datetime, partition: int) -> Member:
        """Compress the same content into different gzip bytes."""
        with self._lock:
            self._pack_hour(file_hour(hour))
            member = self._member_of_bytes(hour, partition)
            old = self._blobs.read(str(member.name))
            content = gzip.decompress(old)
            level = 1 if old[8:9] != b"\x04" else 9
            # The timestamp makes the bytes differ even if the level does not.
            return self._write(hour, partition, gzip.compress(content, level, mtime=member.revision))

    def put_content(self, hour: datetime, partition: int, content: bytes) -> Member:
        """Create or replace a member with any content: malformed lines, no last newline, no bytes."""
        return self.put_gzip(hour, partition, gzip.compress(content, GZIP_LEVEL, mtime=0))

    def put_gzip(self, hour: datetime, partition: int, data: bytes) -> Member:
        """Create or replace a member with bytes that are exported unchanged, even if they are not gzip."""
        with self._lock:
            return self._write(hour, partition, data)

    def put_repeated(self, hour: datetime, partition: int, line: bytes, times: int, *, level: int = 0) -> Member:
        """Create or replace a member that repeats ``line``, of any size, in little memory.

        Its bytes are generated while they are sent and are not in the data directory, so a restart loses
        it. Lines cannot be appended to it. `repeat_line` describes ``level``.

        Raises:
            ValueError: The line contains a newline, or ``times`` is below 1.
        """
        repeated = repeat_line(line, times, level)
        name = MemberName(self.project_id, file_hour(hour), partition)
        with self._lock:
            if partition in self._members.get(name.hour, {}):
                self.remove_member(hour, partition)
            self._repeated[name] = repeated
            return self._note(name)

    def remove_member(self, hour: datetime, partition: int) -> None:
        """Remove a member. Raise KeyError if it is missing."""
        with self._lock:
            name = self._member(hour, partition).name
            if self._repeated.pop(name, None) is None:
                self._blobs.remove(str(name))
            del self._members[name.hour][partition]
            self._in_several_streams.discard(name)

    def publish_at(self, hour: datetime, moment: datetime | None) -> None:
        """Publish an hour at ``moment`` instead of after the usual delay; None restores the delay."""
        with self._lock:
            if moment is None:
                self._published_from.pop(file_hour(hour), None)
            else:
                self._published_from[file_hour(hour)] = require_utc(moment)

    def clear(self) -> None:
        """Remove all members, also from disk, and all times set by `publish_at`."""
        with self._lock:
            for members in self._members.values():
                for member in members.values():
                    if member.name not in self._repeated:
                        self._blobs.remove(str(member.name))
            self._members.clear()
            self._in_several_streams.clear()
            self._repeated.clear()
            self._published_from.clear()

    def _member(self, hour: datetime, partition: int) -> Member:
        return self._members.get(file_hour(hour), {})[partition]

    def _member_of_bytes(self, hour: datetime, partition: int) -> Member:
        member = self._member(hour, partition)
        if member.name in self._repeated:
            raise ValueError(f"{member.name} is a repeated line and can only be replaced as a whole.")
        return member

    def _write(self, hour: datetime, partition: int, data: bytes) -> Member:
        name = MemberName(self.project_id, file_hour(hour), partition)
        self._blobs.write(str(name), data)
        self._repeated.pop(name, None)
        self._in_several_streams.discard(name)
        return self._note(name)

    def _note(self, name: MemberName) -> Member:
        self._revision += 1
        repeated = self._repeated.get(name)
        size_bytes = self._blobs.size_bytes(str(name)) if repeated is None else repeated.packed.size_bytes
        member = Member(name, size_bytes, self._revision)
        self._members.setdefault(name.hour, {})[name.partition] = member
        return member

    def _pack_hour(self, hour: datetime) -> None:
        for partition, member in self._members.get(hour, {}).items():
            if member.name not in self._in_several_streams:
                continue
            self._in_several_streams.discard(member.name)
            data = self._blobs.read(str(member.name))
            content = _content_of_several_streams(data)
            if content is not None:
                self._write(hour, partition, gzip.compress(content, GZIP_LEVEL, mtime=0))

    def _lines_of(self, name: MemberName) -> list[bytes]:
        repeated = self.repeated(name)
        if repeated is not None:
            return [repeated.line] * repeated.times  # only one copy of the line in memory
        data = self.read(name)
        if data is None:
            return []
        try:
            content = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return []
        # Not splitlines(): a raw line may contain other line breaks, such as U+0085 or a form feed.
        return content.removesuffix(b"\n").split(b"\n") if content else []


def encode_line(event: Mapping[str, object]) -> bytes:
    """Encode an event as one raw line: UTF-8, compact, keys in alphabetical order (reference 7).

    A line with a lone surrogate, which UTF-8 cannot encode, becomes ASCII with escapes.
    """
    try:
        return json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except UnicodeEncodeError:
        return json.dumps(event, separators=(",", ":"), sort_keys=True).encode()


def compress_lines(lines: Iterable[bytes | Mapping[str, object]]) -> bytes:
    """Return gzip-compressed NDJSON with a trailing newline; equal lines give equal bytes."""
    raw = (line if isinstance(line, bytes) else encode_line(line) for line in lines)
    return gzip.compress(b"".join(line + b"\n" for line in raw), GZIP_LEVEL, mtime=0)


def _content_of_several_streams(data: bytes) -> bytes | None:
    """Return the joined content of several gzip streams; None for a single stream or damaged bytes."""
    first = zlib.decompressobj(wbits=31)
    try:
        content = first.decompress(data)
        return content + gzip.decompress(first.unused_data) if first.unused_data else None
    except (OSError, EOFError, zlib.error):
        return None
