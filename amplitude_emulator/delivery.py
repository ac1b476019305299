"""Send the bytes of a response: at full speed, or in one of the faulty ways.

The faulty ways write to the transport directly, because an HTTP server library refuses to send less
than the announced length.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import socket
import struct
from typing import TYPE_CHECKING, BinaryIO, Literal

from aiohttp import web

from amplitude_emulator.request_log import NO_STATUS

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.web_request import BaseRequest

Framing = Literal["content_length", "close", "chunked"]

PIECE_BYTES = 1024**2
DRIP_INTERVAL_SECONDS = 0.05
_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds: RST instead of FIN


class ArchiveResponse(web.StreamResponse):
    """A zip sent from an open file, with ``sendfile`` if it is on disk; closes the file.

    Content type and length of the real response are not known (reference 9).
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(headers={"Content-Type": "application/zip"})
        self.file = file
        self.content_length = file.seek(0, os.SEEK_END)
        file.seek(0)

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Send everything; called by aiohttp."""
        with self.file:
            writer = await super().prepare(request)
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("The client closed the connection.")
            if _is_on_disk(self.file):
                await asyncio.get_running_loop().sendfile(request.transport, self.file)
            else:
                while piece := self.file.read(PIECE_BYTES):
                    await self.write(piece)
            await super().write_eof()
            return writer


class SlowResponse(web.StreamResponse):
    """The status, headers and body of another response, at a limited number of bytes a second."""

    def __init__(self, original: web.StreamResponse, bytes_per_second: float) -> None:
        super().__init__(status=original.status, headers=original.headers)
        self.content_length = original.content_length
        self._source = open_body(original)
        self._piece_bytes = max(1, int(bytes_per_second * DRIP_INTERVAL_SECONDS))
        self._pause_seconds = self._piece_bytes / bytes_per_second

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Send everything in small pieces."""
        with self._source:
            writer = await super().prepare(request)
            while piece := self._source.read(self._piece_bytes):
                await self.write(piece)
                await asyncio.sleep(self._pause_seconds)
            await super().write_eof()
            return writer


class BrokenOffResponse(web.StreamResponse):
    """A response that ends before it is complete.

    Args:
        original: The complete response; its body is read and closed.
        after_bytes: How many bytes of the body are sent; None sends not even the status line.
        framing: How the length is announced: ``content_length`` correctly, ``close`` not at all,
            ``chunked`` in chunks without the last one.
        reset: End with a TCP reset instead of an orderly close. The client may lose bytes that it has not
            read by then.
    """

    def __init__(self, original: web.StreamResponse, *, after_bytes: int | None, framing: Framing, reset: bool) -> None:
        super().__init__(status=original.status, headers=original.headers)
        self.content_length = original.content_length
        self.force_close()
        self.logged_status = NO_STATUS if after_bytes is None else original.status
        with open_body(original) as body:
            self._sent = body.read(after_bytes or 0)
        self._has_head = after_bytes is not None
        self._is_chunked = framing == "chunked"
        self._reset = reset
        if framing != "content_length":
            self.headers.popall("Content-Length", None)
            self.headers["Connection"] = "close"
        if self._is_chunked:
            self.headers["Transfer-Encoding"] = "chunked"

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write the partial response, then end the connection."""
        transport = request.transport
        if transport is None:
            return None
        if self._has_head:
            transport.write(self._head())
        if self._sent and self._is_chunked:
            transport.write(b"%x\r\n%b\r\n" % (len(self._sent), self._sent))
        elif self._sent:
            transport.write(self._sent)
        if not self._reset:
            transport.close()
            return None
        # Only the protocol, which is aiohttp's, is notified when a transport's buffer is empty.
        while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.005)
        reset_connection(transport)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: this response must not end correctly."""

    def _head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


class SilentResponse(web.StreamResponse):
    """No response for a number of seconds, or until the emulator stops; then a reset."""

    def __init__(self, seconds: float, closing: asyncio.Event) -> None:
        super().__init__()
        self.force_close()
        self.logged_status = NO_STATUS
        self._seconds = seconds
        self._closing = closing

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Wait, then reset the connection."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._closing.wait(), self._seconds)
        if request.transport is not None:
            reset_connection(request.transport)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: there is no response to end."""


def open_body(response: web.StreamResponse) -> BinaryIO:
    """Return a complete response's body as a file that the caller closes."""
    if isinstance(response, ArchiveResponse):
        return response.file
    if isinstance(response, web.Response) and isinstance(response.body, bytes):
        return io.BytesIO(response.body)
    return io.BytesIO()


def _is_on_disk(file: BinaryIO) -> bool:
    try:
        file.fileno()
    except io.UnsupportedOperation:
        return False
    return True


def reset_connection(transport: asyncio.Transport) -> None:
    """End a connection with a TCP reset, so that the client gets an error instead of an end of file."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
    transport.abort()
