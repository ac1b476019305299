"""Amplitude's hosts and paths, and one request as a value."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from source_amplitude.api.redaction import printable
from source_amplitude.config import Region
from source_amplitude.errors import InvalidConfigError
from source_amplitude.windows import HOUR, HourWindow

if TYPE_CHECKING:
    from source_amplitude.api.quotas import Quota

EXPORT_PATH = "/api/2/export"

PROBE_WINDOW = HourWindow(datetime(2014, 11, 13, tzinfo=timezone.utc), datetime(2014, 11, 13, 1, tzinfo=timezone.utc))
"""An hour for which almost no project has data, after the change from day files to hour files."""


class Host(Enum):
    """The host of an API."""

    REST = "rest"
    DATA = "data"


@dataclass(frozen=True)
class Request:
    """A GET request.

    Attributes:
        path: The path on the host, percent-encoded.
        what: The requested data, for messages.
        query: Names and values; a name may repeat.
        cost: The cost in the quota's units.
        may_redirect: Whether a redirect is a good response.
    """

    path: str
    what: str
    query: tuple[tuple[str, str], ...] = ()
    quota: Quota | None = None
    cost: int = 1
    host: Host = Host.REST
    may_redirect: bool = False


_HOSTS = {  # documented on the Export, Dashboard, Cohorts, Annotations and Lookup Table pages
    (Host.REST, Region.STANDARD): "https://amplitude.com",
    (Host.REST, Region.EU): "https://analytics.eu.amplitude.com",
    (Host.DATA, Region.STANDARD): "https://data-api.amplitude.com",
    (Host.DATA, Region.EU): "https://data-api.eu.amplitude.com",
}
_LOCAL_FOLDERS = {
    (Host.REST, Region.STANDARD): "us",
    (Host.REST, Region.EU): "eu",
    (Host.DATA, Region.STANDARD): "data-us",
    (Host.DATA, Region.EU): "data-eu",
}


def base_url(region: Region, override: str | None = None, host: Host = Host.REST) -> str:
    """Return the base address of ``region``, without a trailing slash.

    ``override`` is the environment variable ``AMPLITUDE_API_URL``: the base of a local Amplitude, to which ``/us`` or
    ``/eu`` is appended (``/data-us`` or ``/data-eu`` for lookup tables). Plain http is for loopback addresses only.

    Raises:
        InvalidConfigError: The override is not a valid or safe URL.
    """
    if not override:
        return _HOSTS[host, region]
    parts = _plain_address(override)
    if parts is None or not parts.hostname:
        raise InvalidConfigError(("AMPLITUDE_API_URL (environment) is not a plain http(s) address",))
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise InvalidConfigError(
            (f"AMPLITUDE_API_URL (environment) sends keys to {parts.hostname} without encryption; use https",)
        )
    return f"{override.rstrip('/')}/{_LOCAL_FOLDERS[host, region]}"


def _plain_address(text: str) -> SplitResult | None:
    """Return the parts of an http(s) address without user, query and fragment; None for any other text."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        host.rstrip(".").encode("idna")  # raises an exception for an empty or a very long label
    except ValueError:
        return None
    is_printable = text.isprintable() and " " not in text
    is_plain = "@" not in parts.netloc and not parts.query and not parts.fragment and port != 0
    return parts if parts.scheme in ("http", "https") and host and is_printable and is_plain else None


class UnsafeRedirectError(ValueError):
    """A redirect that must not be followed."""


def require_safe_redirect(base: str, target: str) -> None:
    """Check a redirect from ``base`` to ``target``, which may be relative.

    Plain http is refused after https, and an internal host (loopback, link-local, private) after a public one. Names
    are not resolved: only ``localhost`` and addresses in the URL count as internal.

    Raises:
        UnsafeRedirectError: The redirect must not be followed; the text contains the target's host only.
    """
    try:
        before, after = urlsplit(base), urlsplit(urljoin(base, target))
        host = after.hostname or ""
    except ValueError:
        raise UnsafeRedirectError("a redirect to an invalid address") from None
    if after.scheme not in ("http", "https") or not host:
        raise UnsafeRedirectError("a redirect to an address that is not http or https")
    if before.scheme == "https" and after.scheme != "https":
        raise UnsafeRedirectError(f"a redirect from https to plain http ({printable(host)})")
    if _is_internal(host) and not _is_internal(before.hostname or ""):
        raise UnsafeRedirectError(f"a redirect to an internal host ({printable(host)})")


def export_hours(window: HourWindow) -> dict[str, str]:
    """Return the export's query parameters: first and last hour, both inclusive, two-digit hours (documented)."""
    return {"start": f"{window.start:%Y%m%dT%H}", "end": f"{window.end - HOUR:%Y%m%dT%H}"}


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _is_internal(host: str) -> bool:
    """Return whether a host is this machine or in a private network, as far as its text shows."""
    if host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and not address.is_global


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a host of a URL is, in any spelling that system resolvers accept; None for a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0].strip("[]"))
    except ValueError:
        try:  # 127.1, 0x7f000001 and 2130706433 are addresses for the C library
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
