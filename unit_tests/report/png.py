"""Reads PNG pictures of a browser (eight bits per colour, not interlaced), and writes smaller ones."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from dataclasses import dataclass

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}


@dataclass(frozen=True)
class Picture:
    """A picture in shades of grey, to check it without colour.

    Attributes:
        width: Width in pixels.
        lines: The luma (ITU-R BT.601) of each pixel, 0 to 255, by lines from the top.
    """

    width: int
    lines: tuple[tuple[float, ...], ...]

    def mean(self) -> float:
        """Return the mean of all pixels."""
        return sum(map(sum, self.lines)) / (self.width * len(self.lines))

    def difference(self, other: Picture) -> float:
        """Return the mean difference of the pixels, over the area that both pictures have."""
        pairs = [
            abs(mine - theirs)
            for my_line, their_line in zip(self.lines, other.lines, strict=False)
            for mine, theirs in zip(my_line, their_line, strict=False)
        ]
        return sum(pairs) / len(pairs)


def grey(png: bytes) -> Picture:
    """Return a PNG in shades of grey."""
    lines = tuple(tuple(0.299 * r + 0.587 * g + 0.114 * b for r, g, b in line) for line in rgb(png))
    return Picture(len(lines[0]), lines)


def rgb(png: bytes) -> list[list[tuple[int, int, int]]]:
    """Return the RGB values of each pixel by lines; takes some seconds for a million pixels."""
    assert png.startswith(_SIGNATURE)
    header, content, at = b"", b"", len(_SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        header, content = (body if kind == b"IHDR" else header), (content + body if kind == b"IDAT" else content)
        at += 12 + length
    width, height, depth, colours, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    assert (depth, interlaced) == (8, 0)
    step = _CHANNELS[colours]
    raw, before, lines = zlib.decompress(content), bytearray(width * step), []
    for top in range(height):
        start = top * (width * step + 1)
        before = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + width * step]), before, step)
        lines.append(list(zip(before[0::step], before[1::step], before[2::step], strict=True)))
    return lines


def with_palette(lines: list[list[tuple[int, int, int]]]) -> bytes:
    """Return a PNG with the 256 most frequent colours; other colours are replaced with the nearest one."""
    counts = Counter(pixel for line in lines for pixel in line)
    palette = [colour for colour, _ in counts.most_common(256)]
    nearest = {
        colour: min(
            range(len(palette)), key=lambda at: sum((a - b) ** 2 for a, b in zip(palette[at], colour, strict=True))
        )
        for colour in counts
    }
    content = b"".join(b"\0" + bytes(nearest[pixel] for pixel in line) for line in lines)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", len(lines[0]), len(lines), 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(map(bytes, palette))),
        (b"IDAT", zlib.compress(content, 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _unfiltered(kind: int, line: bytearray, above: bytearray, step: int) -> bytearray:
    for at in range(len(line)):
        left, corner = (line[at - step], above[at - step]) if at >= step else (0, 0)
        guesses = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))
        line[at] = (line[at] + guesses[kind]) & 0xFF
    return line


def _paeth(left: int, above: int, corner: int) -> int:
    return min((left, above, corner), key=lambda each: abs(left + above - corner - each))
