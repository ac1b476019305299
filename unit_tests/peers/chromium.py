"""The headless Chromium in `.peers`, from npm, because Debian's package needs root.

The npm package, made for AWS Lambda, contains the compressed program, rarely installed libraries and a font.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tarfile
from pathlib import Path

PACKAGED = sys.platform == "linux" and platform.machine() == "x86_64"
"""Whether the package supports this machine."""

FOLDER = Path(__file__).parents[2] / ".peers" / "chromium"
PROGRAM = FOLDER / "chromium"

_PACKED = FOLDER.with_name("node_modules") / "@sparticuz" / "chromium" / "bin"
_ARCHIVES = ("al2023.tar", "swiftshader.tar", "fonts.tar")
_UNPACK_SECONDS = 120
_UNPACK = """
const {createReadStream, createWriteStream} = require("node:fs");
const {createBrotliDecompress} = require("node:zlib");
const {pipeline} = require("node:stream/promises");
const [from, to, ...names] = process.argv.slice(1);
Promise.all(names.map((name) =>
  pipeline(createReadStream(`${from}/${name}.br`), createBrotliDecompress(), createWriteStream(`${to}/${name}`))));
"""

# The same fonts on every machine, except the monospaced font, which the package does not contain.
_FONTS = f"""<?xml version="1.0"?>
<fontconfig>
  <dir>{FOLDER}</dir>
  <dir>/usr/share/fonts</dir>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <cachedir>{FOLDER}/cache</cachedir>
</fontconfig>
"""


def unpack(node: str) -> None:
    """Decompress the npm package (210 MB), if it supports this machine.

    Args:
        node: The path of Node; Python has no Brotli decoder.

    Raises:
        subprocess.SubprocessError: Node failed.
    """
    if not PACKAGED:
        return
    FOLDER.mkdir(exist_ok=True)
    command = (node, "-e", _UNPACK, str(_PACKED), str(FOLDER), PROGRAM.name, *_ARCHIVES)
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_UNPACK_SECONDS)
    for name in _ARCHIVES:
        with tarfile.open(FOLDER / name) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None:
                    (FOLDER / Path(member.name).name).write_bytes(content.read())
        (FOLDER / name).unlink()
    fonts_file().write_text(_FONTS, encoding="utf-8")
    PROGRAM.chmod(0o755)


def is_there() -> bool:
    """Return whether Chromium is decompressed, or is not supported here."""
    return PROGRAM.is_file() or not PACKAGED


def fonts_file() -> Path:
    """Return the fontconfig configuration for the fonts."""
    return FOLDER / "fonts.conf"
