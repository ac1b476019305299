"""``--to`` as a place; what is none is refused with the form to write, worked out from the value.

Places have the forms ``s3://bucket/prefix``, ``az://container/prefix``, ``gs://bucket/prefix`` and paths of folders. A
value that may hold a secret is never repeated in a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_SCHEMES = {"s3": "bucket", "az": "container", "gs": "bucket"}
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
_AROUND = " \t\r\n'\""
"""What people leave around a value that was copied."""


@dataclass(frozen=True)
class StoreLimits:
    """How patient a store's client is; tests pass short ones.

    Attributes:
        max_retries: After the first request.
        retry_seconds: No retry begins later than this after the first request.
        first_wait_seconds: Before the first retry; doubles from there.
        connect_seconds: For a connection.
        request_seconds: For a whole request: a part of 8 MB at 28 KB/s.
    """

    max_retries: int = 8
    retry_seconds: float = 120
    first_wait_seconds: float = 0.2
    connect_seconds: float = 10
    request_seconds: float = 300


@dataclass(frozen=True)
class Destination:
    """A parsed ``--to``.

    Attributes:
        scheme: ``s3``, ``az``, ``gs`` or ``file``.
        bucket: Bucket or container; empty for a folder.
        prefix: Path inside it without slashes at its ends, or the folder's path.
    """

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        if self.scheme == "file":  # as it is to be written, or its name would be refused
            return f"./{self.prefix}" if _begins_like_an_address(self.prefix) else self.prefix
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def folder(self) -> Path | None:
        return Path(self.prefix) if self.scheme == "file" else None


def parse_destination(to: str) -> Destination:
    """Return what ``--to`` names, or raise an InvalidConfigError that says what to write.

    Only a plain path is a folder: what begins like an address and is none of a known store is refused, or a mistyped
    store would become a folder with its name.
    """
    if not to.strip():
        raise InvalidConfigError(("--to is empty",))
    if not _begins_like_an_address(to):
        return Destination("file", "", str(Path(to).expanduser()))
    destination = _known_destination(to)
    if destination is None:
        raise InvalidConfigError((_refusal(to),))
    return destination


def _begins_like_an_address(to: str) -> bool:
    """Return whether a colon is in the first part of ``to``, behind more than a drive's letter."""
    drive = re.match(r"[A-Za-z]:(?!//)", to)
    return drive is None and ":" in re.split(r"[/\\]", to.strip(_AROUND), maxsplit=1)[0]


def _known_destination(to: str) -> Destination | None:
    scheme, separator, rest = to.partition("://")
    bucket, _, prefix = rest.partition("/")
    if not separator or _may_hold_a_secret(to) or to != to.strip(_AROUND):
        return None
    if scheme == "file":
        return None if bucket or not prefix.strip("/") else Destination("file", "", f"/{prefix}")
    is_address = scheme == "az" and "." in bucket  # of an account; the names of containers have no dots
    return (
        None if scheme not in _SCHEMES or not bucket or is_address else Destination(scheme, bucket, prefix.strip("/"))
    )


def _may_hold_a_secret(to: str) -> bool:
    return "?" in to or "#" in to or "@" in to.replace("://", ":", 1).partition("/")[0]


def _refusal(to: str) -> str:
    """Return why ``to`` is refused and what to write in its place."""
    may_hold_a_secret, near = _may_hold_a_secret(to), _near_place(to)
    if near is not None and _begins_like_an_address(near.form) and _known_destination(near.form) is None:
        near = None
    said = "the value" if may_hold_a_secret else repr(to)
    if near is not None and (not may_hold_a_secret or to.partition(":")[0] not in _SCHEMES):
        more = "; credentials belong in the environment" if "?" in to else ""
        return f"--to: {said} is not a place that this program knows; write {near.form}{near.beside}{more}"
    if may_hold_a_secret:
        return "--to holds more than a place; credentials belong in the environment (see docs/landing.md)"
    forms = ", ".join(f"{scheme}://{what}/prefix" for scheme, what in _SCHEMES.items())
    folder = "" if "://" in to else f", such as ./{to} where the folder's name has a colon"
    return f"--to: {said} is none of {forms}, a folder{folder}"


class _NearPlace(NamedTuple):
    """What to write after ``--to``, and ``beside`` it what is to be set as well, as an end of a sentence."""

    form: str
    beside: str = ""


def _near_place(to: str) -> _NearPlace | None:
    """Return what ``to`` was meant to be; None where that is not clear. A query or a password is never part of it."""
    scheme, _, rest = to.strip(_AROUND).partition(":")
    scheme, path = scheme.lower(), re.split(r"[?#]", rest, maxsplit=1)[0].replace("\\", "/")
    if scheme in ("file", "dbfs"):
        return _of_folder(scheme, path)
    kinds: dict[tuple[str, ...], Callable[[str], _NearPlace | None]] = {
        _ADDRESSES: _of_address,
        _AZURE: _of_azure,
        _S3: lambda path: _joined("s3", path),
        _S3_COMPATIBLE: lambda path: _joined("s3", path, " with AWS_ENDPOINT_URL set to the store's address"),
        _GCS: lambda path: _joined("gs", path),
        ("arn",): lambda path: _joined("s3", path.partition(":::")[2]),
    }
    return next((made(path.strip("/")) for schemes, made in kinds.items() if scheme in schemes), None)


def _of_azure(path: str) -> _NearPlace | None:
    with_account = _AZURE_WITH_ACCOUNT.fullmatch(path)
    if with_account:
        container, account, inside = with_account.groups("")
        return _joined("az", f"{container}{inside}", _account(account))
    address = _AZURE_ADDRESS.fullmatch(path)
    return _joined("az", address[2], _account(address[1])) if address else _joined("az", path)


def _of_address(path: str) -> _NearPlace | None:
    """Return the place behind an address of a store's own web interface."""
    path = unquote(path)
    azure = _AZURE_ADDRESS.fullmatch(path)
    if azure:
        return _of_azure(path)
    for scheme, pattern in (("s3", _S3_ADDRESS), ("gs", _GCS_ADDRESS)):
        match = pattern.fullmatch(path if "/" in path else f"{path}/")
        if match:
            return _joined(scheme, "/".join(filter(None, match.groups())))
    return None


def _of_folder(scheme: str, path: str) -> _NearPlace | None:
    inside = path.strip("/")
    if not inside:
        return None
    if scheme == "dbfs":
        return _NearPlace(f"/dbfs/{inside}")
    if not path.startswith("/"):
        return _NearPlace(f"./{inside}")
    has_host = path.startswith("//") and not path.startswith("///")
    if not has_host:
        return _NearPlace(f"/{inside}")
    return _NearPlace(f"./{inside}", f", or /{inside} if its path begins at the root")


def _joined(scheme: str, path: str, beside: str = "") -> _NearPlace | None:
    """Return a place of a store; None where no bucket is named, or something that may be a password."""
    bucket, _, inside = path.strip("/").partition("/")
    if not bucket or "@" in bucket:
        return None
    inside = inside.strip("/")
    return _NearPlace(f"{scheme}://{bucket}" + (f"/{inside}" if inside else ""), beside)


def _account(name: str) -> str:
    return f" with AZURE_STORAGE_ACCOUNT_NAME={name} in the environment"
