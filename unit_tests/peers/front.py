"""What stands before a store: it passes requests on, keeps a list of them, and does to some what a test says.

It lives in a thread of this process, so that a test can talk to it. Signatures hold through it, because neither S3's
peer nor Azurite has the port in what is signed.
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

_OF_THE_CONNECTION = ("Connection", "Keep-Alive", "Transfer-Encoding")
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Request:
    """What a client asked for.

    Attributes:
        method: Of HTTP.
        path: With its query, decoded, and without what all requests begin with: the bucket, or account and container.
    """

    method: str
    path: str


class Front:
    """An HTTP server on a free loopback port; every method may be called from any thread."""

    def __init__(self, target: str, root: str) -> None:
        """Stand before a store.

        Args:
            target: Its address.
            root: What the paths of all requests begin with: ``/bucket-1f``, ``/account/container-1f``.
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
        """The address to give to a client."""
        return self._started.result()

    @property
    def requests(self) -> list[Request]:
        """What was asked for so far, in the order of arrival, with what came to grief."""
        with self._lock:
            return self._requests.copy()

    def inject(
        self, fault: Fault, *, method: str = "", path: str = "", header: str = "", times: int = 1, skip: int = 0
    ) -> None:
        """Let a fault befall the next requests that match. Of several faults, the one that was injected first wins.

        Args:
            fault: What befalls them.
            method: Theirs; left out: any.
            path: A regular expression that is to be found in `Request.path`.
            header: The name of one that they have; left out: any.
            times: How many; `faults.FOREVER` for all.
            skip: How many are spared first.
        """
        with self._lock:
            self._rules.append(Rule(fault, method, re.compile(path), header, skip, times))

    def heal(self) -> None:
        """Take all faults back."""
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
            # Neither side unpacks a body, and idle connections of a client do not hold up the end of a test.
            async with ClientSession(connector=TCPConnector(force_close=True, limit=0), auto_decompress=False) as store:
                application.router.add_route("*", "/{path:.*}", partial(self._answer, store))
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

    async def _answer(self, store: ClientSession, request: web.Request) -> web.StreamResponse:
        fault = self._fault_of(
            Request(request.method, unquote(request.raw_path).removeprefix(self._root)), request.headers
        )
        match fault:
            case Answer():
                await request.read()  # an unread body would turn the answer into a reset
                return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
            case CutRequest():
                await _read(request, fault.after)
                return _cut(request)
            case Wait():
                await asyncio.sleep(fault.seconds)
            case Do():
                await asyncio.to_thread(fault.action)
        answer = await self._pass_on(request, store)
        if isinstance(fault, LoseAnswer):
            return _cut(request)
        if isinstance(fault, CutAnswer):
            return await _begin(request, answer, fault.after)
        return answer

    def _fault_of(self, request: Request, headers: Mapping[str, str]) -> Fault | None:
        with self._lock:
            self._requests.append(request)
            return next((rule.fault for rule in self._rules if rule.takes(request.method, request.path, headers)), None)

    async def _pass_on(self, request: web.Request, store: ClientSession) -> web.Response:
        body = await request.read()
        url = URL(self._target + request.raw_path, encoded=True)
        async with store.request(
            request.method,
            url,
            data=io.BytesIO(body) if body else None,
            headers=request.headers,
            skip_auto_headers=_NOT_ADDED,
            allow_redirects=False,
        ) as answer:
            headers = answer.headers.copy()
            for name in _OF_THE_CONNECTION:
                headers.popall(name, None)
            return web.Response(status=answer.status, headers=headers, body=await answer.read())


async def _read(request: web.Request, size: int) -> None:
    """Read so many bytes of the body, or all where it has fewer."""
    while size > 0 and not request.content.at_eof():
        size -= len(await request.content.read(size))


def _cut(request: web.Request) -> web.Response:
    """End the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _begin(request: web.Request, answer: web.Response, size: int) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b""
    begun = web.StreamResponse(status=answer.status, headers=answer.headers)
    begun.content_length = len(body)
    await begun.prepare(request)
    await begun.write(body[:size])
    if request.transport is not None:
        request.transport.close()  # unlike abort, after what was written
    return begun
