"""Parse ``--to``; refuse any other value, and suggest a correction.

A destination is ``s3://bucket/prefix``, ``az://container/prefix``, ``gs://bucket/prefix`` or the path of a folder. A
value that may contain a secret is never repeated in a message.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_SCHEMES = {"s3": "bucket", "az": "container", "gs": "bucket"}
# Wider than the rules of the stores, for compatible ones; obstore panics on other characters.
_BUCKETS = {
    "s3": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}"),
    "az": re.compile(r"[A-Za-z0-9$][A-Za-z0-9$-]{0,62}"),
    "gs": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"),
}
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_S3 = ("s3", "s3a", "s3n", "aws")
_S3_COMPATIBLE = ("b2", "ceph", "cos", "minio", "oss", "r2", "spaces", "wasabi")
_GCS = ("gs", "gcs", "google", "gcp")
_AZURE = ("az", "azure", "azblob", "adl", "adls", "abfs", "abfss", "wasb", "wasbs")
_ADDRESSES = ("http", "https")

_AZURE_HOST = r"([a-z0-9]+)\.(?:blob|dfs)\.[a-z.]+"
_AZURE_ADDRESS = re.compile(rf"{_AZURE_HOST}/(.+)", re.IGNORECASE)
_AZURE_WITH_ACCOUNT = re.compile(rf"([a-z0-9$-]+)@{_AZURE_HOST}(/.*)?", re.IGNORECASE)
_S3_ADDRESS = re.compile(r"(?:([^/]+)\.)?s3[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?/(.*)", re.IGNORECASE)
_GCS_ADDRESS = re.compile(
    r"(?:([^/]+)\.)?(?:storage\.(?:googleapis|cloud\.google)\.com|console\.cloud\.google\.com/storage/browser)/(.*)",
    re.IGNORECASE,
)
_COPIED_AROUND = " \t\r\n'\""
"""Characters that may surround a copied value."""


@dataclass(frozen=True)
class StoreLimits:
    """Retries and timeouts of a store's client; tests pass short ones.

    Attributes:
        max_retries: Retries after the first request.
        retry_seconds: No retry starts later than this after the first request.
        first_wait_seconds: Wait before the first retry; it doubles for each further retry.
        connect_seconds: Timeout of a connection attempt.
        request_seconds: Timeout of a whole request; enough for a part of 8 MB at 28 KB/s.
        lock_notice_seconds: A longer wait for the lock of a folder is reported.
        lock_seconds: The longest wait for the lock of a folder.
        stop_seconds: How long a request may continue after the user asked to stop.
    """

    max_retries: int = 8
    retry_seconds: float = 120
    first_wait_seconds: float = 0.2
    connect_seconds: float = 10
    request_seconds: float = 300
    lock_notice_seconds: float = 5
    lock_seconds: float = 600
    stop_seconds: float = 3


@dataclass(frozen=True)
class Destination:
    """A parsed ``--to``.

    Attributes:
        scheme: ``s3``, ``az``, ``gs`` or ``file``.
        bucket: Bucket or container; empty for a folder.
        prefix: Path in the bucket without slashes at its ends, or the folder's path.
    """

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        if self.scheme == "file":  # in a form that can be parsed again
            return f"./{self.prefix}" if _looks_like_address(self.prefix) else self.prefix
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def folder(self) -> Path | None:
        return Path(self.prefix) if self.scheme == "file" else None


def parse_destination(to: str) -> Destination:
    """Return the destination that ``--to`` names.

    A value like an address of an unknown store is not used as a folder's path: a mistyped store would become a folder.

    Raises:
        InvalidConfigError: ``to`` is not a destination; the message suggests a correction.
    """
    if not to.strip():
        raise InvalidConfigError(("--to is empty",))
    if not _looks_like_address(to):
        return Destination("file", "", _folder_path(to))
    destination = _known_destination(to)
    if destination is None:
        raise InvalidConfigError((_refusal(to),))
    return destination


def _folder_path(to: str) -> str:
    if not _may_be_path(to):
        raise InvalidConfigError((f"--to: {to!r} contains a character that a path cannot have",))
    try:
        return str(Path(to).expanduser())
    except RuntimeError:
        raise InvalidConfigError((f"--to: {to!r} is below the home folder of a user that does not exist",)) from None


def _may_be_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _looks_like_address(to: str) -> bool:
    """Return whether the first part of ``to`` contains a colon, except after a drive letter."""
    drive = re.match(r"[A-Za-z]:(?!//)", to)
    return drive is None and ":" in re.split(r"[/\\]", to.strip(_COPIED_AROUND), maxsplit=1)[0]


def _known_destination(to: str) -> Destination | None:
    scheme, separator, rest = to.partition("://")
    bucket, _, prefix = rest.partition("/")
    if not separator or _may_contain_secret(to) or to != to.strip(_COPIED_AROUND):
        return None
    if scheme == "file":
        is_folder = not bucket and prefix.strip("/") and _may_be_path(prefix)
        return Destination("file", "", f"/{prefix}") if is_folder else None
    return None if _store_problem(scheme, bucket, prefix) else Destination(scheme, bucket, prefix.strip("/"))


def _store_problem(scheme: str, bucket: str, prefix: str) -> str:
    """Return why obstore would not accept a store; empty if it does."""
    if scheme not in _SCHEMES or not bucket:
        return "not a store"
    if not _BUCKETS[scheme].fullmatch(bucket):  # also the address of an Azure account, which has dots
        return f"{bucket!r} is not the name of a {_SCHEMES[scheme]}"
    if _CONTROL_CHARACTERS.search(prefix):
        return "the prefix contains a control character"
    parts = prefix.strip("/").split("/") if prefix.strip("/") else []
    odd = next((part for part in parts if part in ("", ".", "..")), None)
    return "" if odd is None else f"the prefix contains {f'/{odd}/'!r}"


def _may_contain_secret(to: str) -> bool:
    return "?" in to or "#" in to or "@" in to.replace("://", ":", 1).partition("/")[0]


def _refusal(to: str) -> str:
    """Return the message that refuses ``to`` and suggests a correction."""
    is_secret, suggestion = _may_contain_secret(to), _suggestion(to)
    if suggestion is not None and _looks_like_address(suggestion.to) and _known_destination(suggestion.to) is None:
        suggestion = None
    shown = "the value" if is_secret else repr(to)
    if suggestion is not None and (not is_secret or to.partition(":")[0] not in _SCHEMES):
        more = "; put credentials in the environment" if "?" in to else ""
        return f"--to: {shown} is not a known destination; use {suggestion.to}{suggestion.hint}{more}"
    if is_secret:
        return "--to contains more than a destination; put credentials in the environment (see docs/landing.md)"
    scheme, _, rest = to.partition("://")
    if scheme in _SCHEMES and rest.partition("/")[0]:
        return f"--to: {to!r}: {_store_problem(scheme, rest.partition('/')[0], rest.partition('/')[2])}"
    forms = ", ".join(f"{scheme}://{what}/prefix" for scheme, what in _SCHEMES.items())
    folder = "" if "://" in to else f" (./{to} if the folder's name contains a colon)"
    return f"--to: {shown} must be {forms} or a folder{folder}"


class _Suggestion(NamedTuple):
    """A valid value of ``--to`` and a hint, such as a variable to set, to append to it in a message."""

    to: str
    hint: str = ""


def _suggestion(to: str) -> _Suggestion | None:
    """Return the probably intended destination, or None; it never contains a query or a password."""
    scheme, _, rest = to.strip(_COPIED_AROUND).partition(":")
    scheme, path = scheme.lower(), re.split(r"[?#]", rest, maxsplit=1)[0].replace("\\", "/")
    if scheme in ("file", "dbfs"):
        return _suggest_folder(scheme, path)
    kinds: dict[tuple[str, ...], Callable[[str], _Suggestion | None]] = {
        _ADDRESSES: _suggest_for_web_address,
        _AZURE: _suggest_azure,
        _S3: lambda path: _suggest("s3", path),
        _S3_COMPATIBLE: lambda path: _suggest("s3", path, " with AWS_ENDPOINT_URL set to the store's address"),
        _GCS: lambda path: _suggest("gs", path),
        ("arn",): lambda path: _suggest("s3", path.partition(":::")[2]),
    }
    return next((suggest(path.strip("/")) for schemes, suggest in kinds.items() if scheme in schemes), None)


def _suggest_azure(path: str) -> _Suggestion | None:
    with_account = _AZURE_WITH_ACCOUNT.fullmatch(path)
    if with_account:
        container, account, inside = with_account.groups("")
        return _suggest("az", f"{container}{inside}", _account(account))
    address = _AZURE_ADDRESS.fullmatch(path)
    return _suggest("az", address[2], _account(address[1])) if address else _suggest("az", path)


def _suggest_for_web_address(path: str) -> _Suggestion | None:
    """Return the destination for an address of a store's web interface."""
    path = unquote(path)
    azure = _AZURE_ADDRESS.fullmatch(path)
    if azure:
        return _suggest_azure(path)
    for scheme, pattern in (("s3", _S3_ADDRESS), ("gs", _GCS_ADDRESS)):
        match = pattern.fullmatch(path if "/" in path else f"{path}/")
        if match:
            return _suggest(scheme, "/".join(filter(None, match.groups())))
    return None


def _suggest_folder(scheme: str, path: str) -> _Suggestion | None:
    inside = path.strip("/")
    if not inside:
        return None
    if scheme == "dbfs":
        return _Suggestion(f"/dbfs/{inside}")
    if not path.startswith("/"):
        return _Suggestion(f"./{inside}")
    has_host = path.startswith("//") and not path.startswith("///")
    if not has_host:
        return _Suggestion(f"/{inside}")
    return _Suggestion(f"./{inside}", f" (or /{inside} if the path is absolute)")


def _suggest(scheme: str, path: str, hint: str = "") -> _Suggestion | None:
    """Return a destination in a store; None without a bucket, or if the bucket may contain a password."""
    bucket, _, inside = path.strip("/").partition("/")
    if not bucket or "@" in bucket:
        return None
    inside = inside.strip("/")
    return _Suggestion(f"{scheme}://{bucket}" + (f"/{inside}" if inside else ""), hint)


def _account(name: str) -> str:
    return f" with AZURE_STORAGE_ACCOUNT_NAME={name} in the environment"
