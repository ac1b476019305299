"""Where to land: ``--to`` as a store of obstore, with the credentials that its cloud's own tools would use.

obstore reads the environment, web identities and the metadata services of virtual machines by itself. Profiles of
``~/.aws`` (boto3, where it is installed) and Azure's connection strings it does not; these are added here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from source_amplitude.errors import InvalidConfigError, MissingExtraError, StoreDeniedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import ObjectStore

_SCHEMES = {"s3": "bucket", "az": "container", "gs": "bucket"}
_BOTO3_HOURS = timedelta(minutes=30)


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
        if self.scheme == "file":
            return self.prefix
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def folder(self) -> Path | None:
        """The local folder; None for an object store."""
        return Path(self.prefix) if self.scheme == "file" else None


def parse_place(to: str) -> Place:
    """Return what ``--to`` names.

    Raises:
        InvalidConfigError: No form that is known. The value is not repeated where it may hold a secret.
    """
    if "://" not in to:
        if not to.strip():
            raise InvalidConfigError(("--to is empty",))
        return Place("file", "", str(Path(to).expanduser()))
    parts = urlsplit(to)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidConfigError(
            ("--to holds more than a place; credentials belong into the environment (see docs/landing.md)",)
        )
    if parts.scheme == "file" and not parts.netloc:
        return Place("file", "", parts.path)
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise InvalidConfigError(
            (f"--to: {to!r} is none of s3://bucket/prefix, az://container/prefix, gs://bucket/prefix, a folder",)
        )
    return Place(parts.scheme, parts.netloc, parts.path.strip("/"))


def require_land_extra() -> None:
    """Return if what the extra ``[land]`` installs is there.

    Raises:
        MissingExtraError: It is not; the text has the command that installs it.
    """
    if find_spec("obstore") is None:
        raise MissingExtraError("This command needs obstore, which is not installed.")


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

    azure = _azure_connection_string(environ)
    options: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=settings.connect_seconds),
        "timeout": timedelta(seconds=settings.request_seconds),
    }
    if azure.get("endpoint", "").startswith("http://") or _allows_http(environ, place.scheme):
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
            return S3Store(place.bucket, **patience, **_aws_profile(environ))
        if place.scheme == "az":
            return AzureStore(place.bucket, **patience, **azure)
        if place.scheme == "gs":
            return GCSStore(place.bucket, **patience)
        return LocalStore(_folder(place.prefix, create=create))
    except (BaseError, ValueError) as error:
        # Their texts may quote a key that cannot be read.
        raise InvalidConfigError(
            (f"the environment's credentials or settings for {place} cannot be used ({type(error).__name__})",)
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


def _aws_profile(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what takes credentials from a profile, where one is named or nothing else is there."""
    if environ.get("AWS_ACCESS_KEY_ID"):
        return {}
    named = environ.get("AWS_PROFILE")
    folder = Path("~/.aws").expanduser()
    if not named and not any((folder / name).is_file() for name in ("credentials", "config")):
        return {}
    if find_spec("boto3") is None:
        if named:
            raise MissingExtraError(
                "AWS_PROFILE is set, and reading profiles needs boto3.",
                next_step="Run pip install boto3 and then the command again.",
            )
        return {}
    return _from_boto3()


def _from_boto3() -> dict[str, Any]:
    import boto3  # noqa: PLC0415 - only where it is installed
    import botocore.exceptions  # noqa: PLC0415 - as above

    try:
        session = boto3.session.Session()
        credentials = session.get_credentials()
    except botocore.exceptions.BotoCoreError as error:
        raise InvalidConfigError((f"AWS_PROFILE cannot be used ({error})",)) from error
    if credentials is None:
        return {}

    def provide() -> dict[str, Any]:
        frozen = credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(timezone.utc) + _BOTO3_HOURS,  # noqa: TID251 - obstore compares it with the system's
        }

    region = {"region": session.region_name} if session.region_name else {}
    return {"credential_provider": provide, **region}


@dataclass(frozen=True)
class ConnectionString:
    """What Azure's portal calls a connection string; the field names are obstore's."""

    fields: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> ConnectionString:
        """Return the parts of ``AccountName=...;AccountKey=...``.

        Raises:
            InvalidConfigError: It names no account.
        """
        parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
        account = parts.get("AccountName", "")
        endpoint = parts.get("BlobEndpoint", "").rstrip("/")
        if not endpoint and account and "EndpointSuffix" in parts:
            scheme = parts.get("DefaultEndpointsProtocol", "https")
            endpoint = f"{scheme}://{account}.blob.{parts['EndpointSuffix']}"
        account = account or (urlsplit(endpoint).hostname or "").partition(".")[0]
        if not account:
            raise InvalidConfigError(("AZURE_STORAGE_CONNECTION_STRING (environment) names no account",))
        fields = {
            "account_name": account,
            "account_key": parts.get("AccountKey", ""),
            "sas_key": parts.get("SharedAccessSignature", ""),
            "endpoint": endpoint,
        }
        return cls({name: value for name, value in fields.items() if value})


def _azure_connection_string(environ: Mapping[str, str]) -> dict[str, Any]:
    text = environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    if not text:
        return {}
    return dict(ConnectionString.parse(text).fields)
