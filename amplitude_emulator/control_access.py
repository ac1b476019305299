"""Who may use the control routes: programs on this machine, but no web pages of other sites.

The routes ask for no keys. A browser on this machine reaches them as well, and a page that it shows may send requests
(cross-site requests have another ``Origin``) or point its own host name to 127.0.0.1 (DNS rebinding: another ``Host``).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web


def refusal_of(request: web.Request) -> str | None:
    """Return why a request to a control route is refused, or None if it is allowed."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not _is_local(hosts[0], _listening_address(request)):
        shown = ", ".join(hosts) or "missing"
        return f"The Host header is {shown}. Control routes accept localhost and loopback addresses only."
    origins = request.headers.getall("Origin", [])
    other = [origin for origin in origins if origin.lower() != f"{request.scheme}://{hosts[0]}".lower()]
    if other:
        return f"The Origin header is {other[0]}. Control routes accept no requests from pages of other sites."
    return None


def _is_local(host: str, listening_address: str) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
        return name in ("localhost", listening_address) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _listening_address(request: web.Request) -> str:
    socket_name = request.get_extra_info("sockname")
    return str(socket_name[0]) if socket_name else "localhost"
