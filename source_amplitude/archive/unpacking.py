"""gzip and CRC-32 through isal where it is installed, else through the standard library.

Measured (reference/cdk.md part 3): isal unpacks three times faster and its CRC-32 is ten times faster.
"""

from __future__ import annotations

import gzip
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

GZIP_SIGNATURE = b"\x1f\x8b"

_open: Callable[..., Any] = gzip.GzipFile
crc32: Callable[[bytes, int], int] = zlib.crc32
_inflate_errors: list[Any] = [zlib.error]

try:
    from isal import igzip, igzip_lib, isal_zlib
except ImportError:  # pragma: no cover - platforms without an isal wheel
    pass
else:
    _open = igzip.GzipFile
    crc32 = isal_zlib.crc32
    _inflate_errors.append(igzip_lib.IsalError)

INFLATE_ERRORS = tuple(cast("list[type[Exception]]", _inflate_errors))
"""What damaged gzip data raises, beside EOFError and OSError."""


def open_gzip(packed: IO[bytes]) -> IO[bytes]:
    """Return a reader of the unpacked bytes; it verifies the trailer's checksum and length at the end."""
    return cast("IO[bytes]", _open(fileobj=packed))
