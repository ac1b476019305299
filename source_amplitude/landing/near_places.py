"""What a ``--to`` that is not a place was meant to be: the form to write, worked out from the value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

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
AROUND = " \t\r\n'\""
"""What people leave around a value that was copied."""


class NearPlace(NamedTuple):
    """What was meant.

    Attributes:
        form: What to write after ``--to``.
        beside: What is to be set as well, as an end of a sentence; empty where nothing is.
    """

    form: str
    beside: str = ""


def near_place(to: str) -> NearPlace | None:
    """Return what ``to`` was meant to be; None where that is not clear. A query or a password is never part of it."""
    scheme, _, rest = to.strip(AROUND).partition(":")
    scheme, path = scheme.lower(), re.split(r"[?#]", rest, maxsplit=1)[0].replace("\\", "/")
    if scheme in ("file", "dbfs"):
        return _of_folder(scheme, path)
    kinds: dict[tuple[str, ...], Callable[[str], NearPlace | None]] = {
        _ADDRESSES: _of_address,
        _AZURE: _of_azure,
        _S3: lambda path: _joined("s3", path),
        _S3_COMPATIBLE: lambda path: _joined("s3", path, " with AWS_ENDPOINT_URL set to the store's address"),
        _GCS: lambda path: _joined("gs", path),
        ("arn",): lambda path: _joined("s3", path.partition(":::")[2]),
    }
    return next((made(path.strip("/")) for schemes, made in kinds.items() if scheme in schemes), None)


def _of_azure(path: str) -> NearPlace | None:
    with_account = _AZURE_WITH_ACCOUNT.fullmatch(path)
    if with_account:
        container, account, inside = with_account.groups("")
        return _joined("az", f"{container}{inside}", _account(account))
    address = _AZURE_ADDRESS.fullmatch(path)
    return _joined("az", address[2], _account(address[1])) if address else _joined("az", path)


def _of_address(path: str) -> NearPlace | None:
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


def _of_folder(scheme: str, path: str) -> NearPlace | None:
    inside = path.strip("/")
    if not inside:
        return None
    if scheme == "dbfs":
        return NearPlace(f"/dbfs/{inside}")
    if not path.startswith("/"):
        return NearPlace(f"./{inside}")
    has_host = path.startswith("//") and not path.startswith("///")
    if not has_host:
        return NearPlace(f"/{inside}")
    return NearPlace(f"./{inside}", f", or /{inside} if its path begins at the root")


def _joined(scheme: str, path: str, beside: str = "") -> NearPlace | None:
    """Return a place of a store; None where no bucket is named, or something that may be a password."""
    bucket, _, inside = path.strip("/").partition("/")
    if not bucket or "@" in bucket:
        return None
    inside = inside.strip("/")
    return NearPlace(f"{scheme}://{bucket}" + (f"/{inside}" if inside else ""), beside)


def _account(name: str) -> str:
    return f" with AZURE_STORAGE_ACCOUNT_NAME={name} in the environment"
