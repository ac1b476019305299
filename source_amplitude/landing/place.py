"""Where to land: ``--to`` as a store of obstore."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from source_amplitude.distribution import install_command
from source_amplitude.errors import InvalidConfigError, MissingExtraError, StoreDeniedError
from source_amplitude.landing.credentials import names_in_use, store_credentials
from source_amplitude.landing.near_places import AROUND, near_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import ObjectStore

_SCHEMES = {"s3": "bucket", "az": "container", "gs": "bucket"}


@dataclass(frozen=True)
class StoreSettings:
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
class Place:
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


def parse_place(to: str) -> Place:
    """Return what ``--to`` names.

    Only a plain path is a folder: what begins like an address and is none of a known store is refused, or a mistyped
    store would become a folder with its name.

    Raises:
        InvalidConfigError: No form that is known, with the one to write. The value is not repeated where it may hold a
            secret.
    """
    if not to.strip():
        raise InvalidConfigError(("--to is empty",))
    if not _begins_like_an_address(to):
        return Place("file", "", str(Path(to).expanduser()))
    place = _known_place(to)
    if place is None:
        raise InvalidConfigError((_refusal(to),))
    return place


def _begins_like_an_address(to: str) -> bool:
    """Return whether a colon is in the first part of ``to``, behind more than a drive's letter."""
    drive = re.match(r"[A-Za-z]:(?!//)", to)
    return drive is None and ":" in re.split(r"[/\\]", to.strip(AROUND), maxsplit=1)[0]


def _known_place(to: str) -> Place | None:
    scheme, separator, rest = to.partition("://")
    bucket, _, prefix = rest.partition("/")
    if not separator or _may_hold_a_secret(to) or to != to.strip(AROUND):
        return None
    if scheme == "file":
        return None if bucket or not prefix.strip("/") else Place("file", "", f"/{prefix}")
    is_address = scheme == "az" and "." in bucket  # of an account; the names of containers have no dots
    return None if scheme not in _SCHEMES or not bucket or is_address else Place(scheme, bucket, prefix.strip("/"))


def _may_hold_a_secret(to: str) -> bool:
    return "?" in to or "#" in to or "@" in to.replace("://", ":", 1).partition("/")[0]


def _refusal(to: str) -> str:
    """Return why ``to`` is refused and what to write in its place."""
    may_hold_a_secret, near = _may_hold_a_secret(to), near_place(to)
    if near is not None and _begins_like_an_address(near.form) and _known_place(near.form) is None:
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


def require_land_extra() -> None:
    """Return if what the extra ``[land]`` installs is there.

    Raises:
        MissingExtraError: It is not; the text has the command that installs it.
    """
    if find_spec("obstore") is None:
        raise MissingExtraError(
            "This command needs obstore, which is not installed.",
            next_step=f"Run {install_command('obstore')} and then the command again.",
        )


def open_place(
    place: Place, settings: StoreSettings, *, create: bool, environ: Mapping[str, str] = os.environ
) -> ObjectStore:
    """Return the store behind ``place``; no request is sent yet.

    Args:
        place: From `parse_place`.
        settings: Bounds of waiting and retrying.
        create: Whether to make a folder that is not there.
        environ: Where credentials are looked for that obstore does not find itself.

    Raises:
        MissingExtraError: A profile is named and boto3 is not installed.
        InvalidConfigError: The credentials in the environment cannot be used.
        StoreDeniedError: The folder is not there, or cannot be made.
    """
    from obstore.exceptions import BaseError  # noqa: PLC0415 - installed only with the extra [land]
    from obstore.store import AzureStore, GCSStore, LocalStore, S3Store  # noqa: PLC0415 - as above

    credentials = store_credentials(place.scheme, environ)
    options: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=settings.connect_seconds),
        "timeout": timedelta(seconds=settings.request_seconds),
    }
    if credentials.get("endpoint", "").startswith("http://") or _allows_http(environ, place.scheme):
        options["allow_http"] = True
    patience: dict[str, Any] = {
        "prefix": place.prefix or None,
        "client_options": options,
        "retry_config": {
            "max_retries": settings.max_retries,
            "retry_timeout": timedelta(seconds=settings.retry_seconds),
            "backoff": {"init_backoff": timedelta(seconds=settings.first_wait_seconds)},
        },
    }
    try:
        if place.scheme == "s3":
            return S3Store(place.bucket, **patience, **credentials)
        if place.scheme == "az":
            return AzureStore(place.bucket, **patience, **credentials)
        if place.scheme == "gs":
            return GCSStore(place.bucket, **patience)
        return LocalStore(_folder(place.prefix, create=create))
    except (BaseError, ValueError) as error:
        # Their texts may quote a key that cannot be read.
        names = ", ".join(names_in_use(place.scheme, environ)) or "none"
        raise InvalidConfigError(
            (f"credentials or settings of {place} cannot be used ({type(error).__name__}); variables set: {names}",)
        ) from None


def _allows_http(environ: Mapping[str, str], scheme: str) -> bool:
    """Return whether the environment allows an address without encryption; obstore looks there only if left alone."""
    prefix = {"s3": "AWS", "az": "AZURE", "gs": "GOOGLE"}.get(scheme, "")
    return environ.get(f"{prefix}_ALLOW_HTTP", "").lower() in ("1", "true", "yes")


def _folder(path: str, *, create: bool) -> Path:
    folder = Path(path)
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            raise StoreDeniedError(
                f"The folder {folder} is not there.", next_step="Correct --to, or land something there first."
            )
    except OSError as error:
        raise StoreDeniedError(f"The folder {folder} cannot be made ({error.strerror}).") from error
    return folder.resolve()
