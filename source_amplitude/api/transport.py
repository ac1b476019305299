"""The HTTP session: measures how fast responses arrive, and checks each redirect before it is followed."""

from __future__ import annotations

import io
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from source_amplitude.api.endpoints import require_safe_redirect
from source_amplitude.api.pace import current_pace
from source_amplitude.api.proxies import require_usable_proxy
from source_amplitude.clock import SystemClock

if TYPE_CHECKING:
    import socket

_clock = SystemClock()
_BUFFER_BYTES = 64 * 1024


class _PacedReader(io.RawIOBase):
    """Receives from a socket; each receive ends at the bounds of the thread's `Pace`."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:  # noqa: ANN401 - any writable buffer
        pace = current_pace()
        if pace is None:
            return self._raw.readinto(buffer)
        usual_seconds = self._sock.gettimeout()
        remaining_seconds = max(pace.remaining_seconds(), 0.001)
        is_bounded = usual_seconds is None or remaining_seconds < usual_seconds
        if is_bounded:
            self._sock.settimeout(remaining_seconds)
        started = _clock.monotonic_seconds()
        size = 0
        try:
            size = self._raw.readinto(buffer) or 0
        except TimeoutError:
            if not is_bounded:
                raise
            pace.received(0, max(remaining_seconds, _clock.monotonic_seconds() - started))
            raise
        else:
            pace.received(size, _clock.monotonic_seconds() - started)
        finally:
            if is_bounded:
                self._sock.settimeout(usual_seconds)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base class
        super().__init__(sock, *args, **kwargs)
        # Detached, since a buffer that is replaced would close the socket's reader.
        self.fp = io.BufferedReader(_PacedReader(self.fp.detach(), sock), _BUFFER_BYTES)


class _PacedConnection(HTTPConnection):
    response_class = _PacedResponse


class _PacedTlsConnection(HTTPSConnection):
    response_class = _PacedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _PacedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _PacedTlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class _PacedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base class
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the base class
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class Session(requests.Session):
    """A session whose responses are measured, and whose proxy and redirects are checked.

    Raises:
        InvalidConfigError: The environment names an invalid proxy.
        UnsafeRedirectError: A redirect must not be followed.
    """

    def __init__(self) -> None:
        super().__init__()
        for prefix in ("http://", "https://"):
            self.mount(prefix, _PacedAdapter())
        # An archive is compressed already, and Content-Length must count the bytes that arrive.
        self.headers["Accept-Encoding"] = "identity"

    def merge_environment_settings(self, url: Any, proxies: Any, *args: Any) -> Any:  # noqa: ANN401 - as the base class
        settings = super().merge_environment_settings(url, proxies, *args)
        require_usable_proxy(str(url), settings["proxies"])
        return settings

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            require_safe_redirect(resp.url, target)
        return target
