"""Check the proxy that the environment names; its address may contain a password, so no message quotes it."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.utils import prepend_scheme_if_needed, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def require_usable_proxy(url: str, proxies: MutableMapping[str, str]) -> None:
    """Check the proxy for a request.

    Args:
        url: The address of the request.
        proxies: The proxies by scheme, as requests reads them from the environment.

    Raises:
        InvalidConfigError: The proxy's address is invalid. The message names the environment variable only.
    """
    proxy = select_proxy(url, proxies)
    if not proxy:
        return
    scheme = _scheme(proxy)
    if scheme is None:
        raise InvalidConfigError((f"{_origin(url, proxy)} is not a valid proxy address; the form is http://host:port",))
    if scheme.startswith("socks") and find_spec("socks") is None:
        raise InvalidConfigError(
            (f"{_origin(url, proxy)} is a SOCKS proxy, which needs the Python library PySocks; it is not installed",)
        )


def _scheme(proxy: str) -> str | None:
    """Return the scheme of a proxy's address; None if the address is invalid."""
    try:
        parts = parse_url(prepend_scheme_if_needed(proxy, "http"))  # type: ignore[no-untyped-call]
        host = (parts.host or "").rstrip(".")
        host.encode("idna")  # raises an exception for a name with an empty or a very long label
    except (LocationParseError, ValueError, TypeError):  # TypeError: requests cannot read a user without a host
        return None
    is_valid = bool(host) and host.isprintable() and " " not in host and parts.scheme in _SCHEMES
    return parts.scheme if is_valid else None


def _origin(url: str, proxy: str) -> str:
    """Return the name of the environment variable with this proxy."""
    names = [f"{scheme}_proxy" for scheme in (urlsplit(url).scheme, "all")]
    for name in (spelling for each in names for spelling in (each.upper(), each)):
        if os.environ.get(name) == proxy:
            return f"{name} (environment)"
    return "The proxy in the settings of this system"
