"""An HTTPS proxy that forwards requests for Amplitude's hosts to the emulator, and refuses all other hosts.

The client keeps its URLs, TLS and headers. The proxy only adds ``/us`` or ``/eu`` before the path, and
forwards responses byte for byte.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

AMPLITUDE_HOSTS = {"amplitude.com": "us", "analytics.eu.amplitude.com": "eu"}

_LOOPBACK = "127.0.0.1"
_COPY_BYTES = 64 * 1024


class AmplitudeProxy:
    """The proxy on a loopback port, in its own thread.

    Args:
        emulator_url: The emulator's URL without ``/us`` or ``/eu``.
        folder: The folder for ``certificate.pem``, which the client must trust, and its key.
        now: The real time; the certificate is valid for a day from it.

    Attributes:
        refused: The requested targets that are not Amplitude's.
    """

    def __init__(self, emulator_url: str, folder: Path, now: datetime) -> None:
        address = urlsplit(emulator_url)
        self._emulator = address.hostname or _LOOPBACK, address.port or 80
        self.certificate = folder / "certificate.pem"
        self._tls = _make_tls(self.certificate, folder / "key.pem", now)
        self._ports: dict[str, int] = {}
        self._port = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        """The value for the client's ``HTTPS_PROXY``."""
        return f"http://{_LOOPBACK}:{self._port}"

    def __enter__(self) -> Self:
        started: Future[None] = Future()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(started),), name="amplitude-proxy")
        self._thread.start()
        started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None and self._loop is not None and self._closing is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()

    async def _serve(self, started: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        servers = []
        try:
            for host, region in AMPLITUDE_HOSTS.items():
                server = await asyncio.start_server(partial(self._serve_host, region), _LOOPBACK, 0, ssl=self._tls)
                self._ports[host] = _port_of(server)
                servers.append(server)
            servers.append(await asyncio.start_server(self._serve_client, _LOOPBACK, 0))
            self._port = _port_of(servers[-1])
            started.set_result(None)
            await self._closing.wait()
        except OSError as error:
            started.set_exception(error)
        finally:
            for server in servers:
                server.close()

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to CONNECT with a tunnel to the TLS server that replaces the host."""
        with _until_closed(writer):
            head = await _read_head(reader)
            method, target, _ = (head or b"- - -").decode("latin-1").split(" ", 2)
            host, _, port = target.partition(":")
            if method != "CONNECT" or port != "443" or host not in self._ports:
                self.refused.append(f"{method} {target}")
                writer.write(b"HTTP/1.1 403 Not an address of Amplitude\r\nContent-Length: 0\r\n\r\n")
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            far_reader, far_writer = await asyncio.open_connection(_LOOPBACK, self._ports[host])
            with _until_closed(far_writer):
                await _until_either_ends(_copy(reader, far_writer), _copy(far_reader, writer))

    async def _serve_host(self, region: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _until_closed(writer):
            far_reader, far_writer = await asyncio.open_connection(*self._emulator)
            with _until_closed(far_writer):
                await _until_either_ends(_pass_requests(reader, far_writer, region), _copy(far_reader, writer))


@contextmanager
def _until_closed(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Close a writer at the end; ignore a closed connection."""
    try:
        with suppress(OSError):
            yield
    finally:
        writer.close()


async def _until_either_ends(*directions: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, region: str) -> None:
    """Forward requests with the region before their path; all are GETs without bodies."""
    while head := await _read_head(reader):
        method, path, rest = head.split(b" ", 2)
        writer.write(b" ".join((method, f"/{region}".encode() + path, rest)))
        await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_COPY_BYTES):
        writer.write(data)
        await writer.drain()


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """Return a request's header lines, or nothing if the client closed the connection."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _make_tls(certificate_file: Path, key_file: Path, now: datetime) -> ssl.SSLContext:
    """Create a self-signed certificate for Amplitude's hosts, and return the server's TLS context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Amplitude emulator, for one test run")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in AMPLITUDE_HOSTS]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate_file, key_file)
    return tls
