"""Storage for the bytes of members: in memory, or as files below a directory.

Not thread-safe; `HourStore` serialises access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from amplitude_emulator.hours import parse_member_name

if TYPE_CHECKING:
    from pathlib import Path


class Blobs(Protocol):
    """Named byte strings. `read`, `append` and `remove` raise KeyError or OSError for an unknown name."""

    def names(self) -> list[str]:
        """Return all names, in no particular order."""

    def size_bytes(self, name: str) -> int:
        """Return the size without reading the content."""

    def read(self, name: str) -> bytes:
        """Return the whole content."""

    def write(self, name: str, data: bytes) -> None:
        """Create or replace atomically."""

    def append(self, name: str, data: bytes) -> None:
        """Append to existing content."""

    def remove(self, name: str) -> None:
        """Delete the content."""


class MemoryBlobs:
    """Contents in a dict; lost when the process ends."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def names(self) -> list[str]:
        """Return all names, in order of creation."""
        return list(self._contents)

    def size_bytes(self, name: str) -> int:
        return len(self._contents[name])

    def read(self, name: str) -> bytes:
        """Return the stored object itself, without a copy."""
        return self._contents[name]

    def write(self, name: str, data: bytes) -> None:
        self._contents[name] = data

    def append(self, name: str, data: bytes) -> None:
        """Append; copies the content once."""
        self._contents[name] += data

    def remove(self, name: str) -> None:
        del self._contents[name]


class DirectoryBlobs:
    """One file for each member, named as in the archive, below a directory. Survives a restart."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> list[str]:
        """Return the names of the files that are members; other files are ignored."""
        files = (path.relative_to(self._directory).as_posix() for path in self._directory.glob("*/*.json.gz"))
        return [name for name in files if parse_member_name(name)]

    def size_bytes(self, name: str) -> int:
        return (self._directory / name).stat().st_size

    def read(self, name: str) -> bytes:
        return (self._directory / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Create or replace a file atomically, so that a killed emulator leaves no partial member."""
        path = self._directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(data)
        partial.replace(path)

    def append(self, name: str, data: bytes) -> None:
        with (self._directory / name).open("ab") as file:
            file.write(data)

    def remove(self, name: str) -> None:
        (self._directory / name).unlink()
