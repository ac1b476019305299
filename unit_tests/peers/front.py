"""A proxy in front of a store: it forwards requests, logs them, and applies the faults of a test.

It runs in a thread of the test's process. Signatures stay valid, because moto checks no signatures and Azurite's do not
include the port.
"""

from __future__ import annotations

import asyncio
import io
import re
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aiohttp import ClientSession, TCPConnector, web
from yarl import URL

from unit_tests.peers.faults import Answer, CutAnswer, CutRequest, Do, LoseAnswer, Rule, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from unit_tests.peers.faults import Fault

_HOP_BY_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding")
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Request:
    """A client's request.

    Attributes:
        method: The HTTP method.
        path: The decoded path with its query, without the prefix of all requests (bucket, or account and container).
    """

    method: str
    path: str


class Front:
    """An HTTP proxy on a free loopback port. Thread-safe."""

    def __init__(self, target: str, root: str) -> None:
        """Create a proxy for a store.

        Args:
            target: The address of the store.
            root: The prefix of all request paths, such as ``/bucket-1f`` or ``/account/container-1f``.
        """
        self._target = target
        self._root = root
        self._rules: list[Rule] = []
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._started: Future[str] = Future()
        self._stop: Future[None] = Future()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="front", daemon=True)

    @property
    def url(self) -> str:
        """The address for clients."""
        return self._started.result()

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in order of arrival, including those with a fault."""
        with self._lock:
            return self._requests.copy()

    def inject(
        self, fault: Fault, *, method: str = "", path: str = "", header: str = "", times: int = 1, skip: int = 0
    ) -> None:
        """Apply a fault to the next matching requests. The first injected fault that matches is applied.

        Args:
            fault: The fault to apply.
            method: The HTTP method to match; default: any.
            path: A regular expression to search in `Request.path`.
            header: The name of a header that the request must have; default: none.
            times: How many requests get the fault; `faults.FOREVER` for all.
            skip: How many matching requests are forwarded unchanged before.
        """
        with self._lock:
            self._rules.append(Rule(fault, method, re.compile(path), header, skip, times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._rules.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set_result(None)
        self._thread.join()

    async def _serve(self) -> None:
        try:
            application = web.Application(client_max_size=0)
            # Neither side decompresses a body, and idle connections of a client do not delay the end of a test.
            async with ClientSession(connector=TCPConnector(force_close=True, limit=0), auto_decompress=False) as store:
                application.router.add_route("*", "/{path:.*}", partial(self._respond, store))
                runner = web.AppRunner(application, access_log=None, shutdown_timeout=0, auto_decompress=False)
                await runner.setup()
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                host, port = runner.addresses[0][:2]
                self._started.set_result(f"http://{host}:{port}")
                await asyncio.wrap_future(self._stop)
                await runner.cleanup()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _respond(self, store: ClientSession, request: web.Request) -> web.StreamResponse:
        fault = self._fault_for(
            Request(request.method, unquote(request.raw_path).removeprefix(self._root)), request.headers
        )
        match fault:
            case Answer():
                await request.read()  # an unread body would turn the response into a reset
                return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
            case CutRequest():
                await _read(request, fault.after)
                return _cut(request)
            case Wait():
                await asyncio.sleep(fault.seconds)
            case Do():
                await asyncio.to_thread(fault.action)
        response = await self._forward(request, store)
        if isinstance(fault, LoseAnswer):
            return _cut(request)
        if isinstance(fault, CutAnswer):
            return await _send_part(request, response, fault.after)
        return response

    def _fault_for(self, request: Request, headers: Mapping[str, str]) -> Fault | None:
        with self._lock:
            self._requests.append(request)
            return next(
                (rule.fault for rule in self._rules if rule.matches(request.method, request.path, headers)), None
            )

    async def _forward(self, request: web.Request, store: ClientSession) -> web.Response:
        body = await request.read()
        url = URL(self._target + request.raw_path, encoded=True)
        async with store.request(
            request.method,
            url,
            data=io.BytesIO(body) if body else None,
            headers=request.headers,
            skip_auto_headers=_NOT_ADDED,
            allow_redirects=False,
        ) as response:
            headers = response.headers.copy()
            for name in _HOP_BY_HOP:
                headers.popall(name, None)
            return web.Response(status=response.status, headers=headers, body=await response.read())


async def _read(request: web.Request, size: int) -> None:
    """Read up to ``size`` bytes of the body."""
    while size > 0 and not request.content.at_eof():
        size -= len(await request.content.read(size))


def _cut(request: web.Request) -> web.Response:
    """End the connection; the returned response is not sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _send_part(request: web.Request, response: web.Response, size: int) -> web.StreamResponse:
    body = response.body if isinstance(response.body, bytes) else b""
    partial_response = web.StreamResponse(status=response.status, headers=response.headers)
    partial_response.content_length = len(body)
    await partial_response.prepare(request)
    await partial_response.write(body[:size])
    if request.transport is not None:
        request.transport.close()  # unlike abort, sends the written bytes first
    return partial_response
