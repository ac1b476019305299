"""Write members to a zip on disk, and cache it until the window's members change."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from amplitude_emulator.hours import MemberName

DEFAULT_CACHE_BYTES = 8 * 1024**3


def write_archive(
    path: Path,
    contents: Iterable[tuple[MemberName, bytes]],
    *,
    deflated: bool = False,
    directory_entry: bool = False,
) -> None:
    """Write a zip of members in the form of Amplitude's exports (reference 1.5).

    At most one member is in memory. Members are stored, as observed; ``deflated`` and
    ``directory_entry`` produce the variants that another test suite claims to occur. Equal contents give
    equal bytes. Archives above 4 GB become ZIP64.
    """
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    has_directory_entry = not directory_entry
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents:
            written_at = name.hour.timetuple()[:6]
            if not has_directory_entry:
                archive.writestr(zipfile.ZipInfo(f"{name.project_id}/", written_at), b"")
                has_directory_entry = True
            entry = zipfile.ZipInfo(str(name), written_at)
            entry.compress_type = method
            archive.writestr(entry, data)


class ArchiveCache:
    """An LRU cache of archives as temporary files, limited in bytes.

    The first request for an archive writes it; concurrent requests wait. The files are in the
    system's temporary directory (``TMPDIR``).
    """

    def __init__(self, max_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._archives: OrderedDict[Hashable, tuple[Path, int]] = OrderedDict()
        self._total_bytes = 0
        self._made = 0

    def open(self, key: Hashable, write: Callable[[Path], None]) -> BinaryIO:
        """Return an open file that the caller closes; call ``write`` if the key is not cached.

        The file stays readable even after its removal from the cache.
        """
        with self._lock:
            if key not in self._archives:
                self._add(key, write)
            self._archives.move_to_end(key)
            path, _ = self._archives[key]
            file = path.open("rb")
            while self._total_bytes > self._max_bytes and len(self._archives) > 1:
                self._remove(next(iter(self._archives)))
            return file

    def clear(self) -> None:
        with self._lock:
            for key in list(self._archives):
                self._remove(key)

    def close(self) -> None:
        """Remove all archives and their directory."""
        self.clear()
        with self._lock:
            if self._directory is not None:
                self._directory.cleanup()
                self._directory = None

    def _add(self, key: Hashable, write: Callable[[Path], None]) -> None:
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="amplitude-emulator-")
        self._made += 1
        path = Path(self._directory.name) / f"{self._made}.zip"
        write(path)
        size_bytes = path.stat().st_size
        self._archives[key] = path, size_bytes
        self._total_bytes += size_bytes

    def _remove(self, key: Hashable) -> None:
        path, size_bytes = self._archives.pop(key)
        path.unlink()
        self._total_bytes -= size_bytes
