"""Credentials of stores: turn environment variables into obstore's options, and name missing variables in errors.

obstore itself reads the environment, web identities and the metadata services of virtual machines. This module adds
profiles of ``~/.aws`` (if boto3 is installed), Azure's connection strings and variables that only the Azure CLI uses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from source_amplitude.distribution import install_command
from source_amplitude.errors import InvalidConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOTO3_HOURS = timedelta(minutes=30)

_PREFIXES = {"s3": "AWS_", "az": "AZURE_", "gs": "GOOGLE_"}
_AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
AZURE_ACCOUNT = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
AZURE_KEY = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_MASTER_KEY", "AZURE_STORAGE_KEY")
AZURE_SAS = ("AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY")
_AZURE_PRINCIPAL = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")
_GOOGLE_FILES = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH")

LOOKED_FOR = {
    "s3": "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_PROFILE or ~/.aws (with boto3), "
    "AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, "
    "the machine's own role",
    "az": "AZURE_STORAGE_CONNECTION_STRING; AZURE_STORAGE_ACCOUNT_NAME (or AZURE_STORAGE_ACCOUNT) with "
    "AZURE_STORAGE_ACCOUNT_KEY (or AZURE_STORAGE_KEY), AZURE_STORAGE_SAS_TOKEN, "
    "AZURE_CLIENT_ID + AZURE_CLIENT_SECRET + AZURE_TENANT_ID, AZURE_USE_AZURE_CLI=true after az login, "
    "or the machine's own identity",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS (a file), GOOGLE_SERVICE_ACCOUNT_KEY, "
    "gcloud auth application-default login, the machine's own service account",
}
"""Sources of credentials, by the scheme of a destination."""


def store_credentials(scheme: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return options for a store of ``scheme``, in addition to the credentials that obstore finds itself.

    Raises:
        InvalidConfigError: The credentials are incomplete. The message names the missing variables, never values.
        MissingExtraError: A profile needs boto3, which is not installed.
    """
    if scheme == "s3":
        return _aws(environ)
    if scheme == "az":
        return _azure(environ)
    if scheme == "gs":
        _require_google_files(environ)
    return {}


def names_in_use(scheme: str, environ: Mapping[str, str]) -> list[str]:
    """Return the names of the set variables that may configure the store."""
    return sorted(name for name in environ if scheme in _PREFIXES and name.startswith(_PREFIXES[scheme]))


def allows_http(scheme: str, environ: Mapping[str, str]) -> bool:
    """Return whether the environment allows http addresses; obstore ignores this variable if it gets client options."""
    return environ.get(f"{_PREFIXES.get(scheme, '')}ALLOW_HTTP", "").lower() in ("1", "true", "yes")


def _first(names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Return the first value that is set; a blank value counts as not set."""
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")


def _require_complete(
    found: tuple[str, ...], missing: tuple[str, ...], environ: Mapping[str, str], scheme: str
) -> None:
    """Raise an InvalidConfigError if any of ``found`` is set and any of ``missing`` is not."""
    present = [name for name in found if environ.get(name, "").strip()]
    absent = [name for name in missing if not environ.get(name, "").strip()]
    if present and absent:
        state = " and ".join(f"{name} is {'empty' if name in environ else 'not set'}" for name in absent)
        raise InvalidConfigError(
            (f"incomplete credentials (environment): {present[0]} is set, {state}; looked for: {LOOKED_FOR[scheme]}",)
        )


def _refuse_empty(names: tuple[str, ...], environ: Mapping[str, str]) -> None:
    """Raise an InvalidConfigError if a variable is set but blank: obstore would sign with an empty key."""
    blank = [name for name in names if name in environ and not environ[name].strip()]
    if blank:
        verb = "is" if len(blank) == 1 else "are"
        raise InvalidConfigError((f"{' and '.join(blank)} {verb} empty in the environment; set a value, or unset it",))


def _aws(environ: Mapping[str, str]) -> dict[str, Any]:
    key, secret = _AWS_KEYS
    _require_complete((key,), (secret,), environ, "s3")
    _require_complete((secret,), (key,), environ, "s3")
    region = {}
    if "AWS_REGION" in environ and not environ["AWS_REGION"].strip():  # obstore would sign for an empty region
        region = {"region": environ.get("AWS_DEFAULT_REGION", "").strip() or "us-east-1"}
    profile = {} if environ.get(key, "").strip() else _aws_profile(environ)
    if "credential_provider" not in profile:
        _require_complete(("AWS_SESSION_TOKEN",), _AWS_KEYS, environ, "s3")
        _refuse_empty((*_AWS_KEYS, "AWS_SESSION_TOKEN"), environ)
    return region | profile


def _aws_profile(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return options with credentials of a profile, if AWS_PROFILE or a file in ``~/.aws`` exists."""
    named = environ.get("AWS_PROFILE")
    folder = Path("~/.aws").expanduser()
    if not named and not any((folder / name).is_file() for name in ("credentials", "config")):
        return {}
    if find_spec("boto3") is None:
        if named:
            raise MissingExtraError(
                "AWS_PROFILE is set, and reading profiles needs boto3.",
                next_step=f"Run {install_command('boto3')} and then the command again.",
            )
        return {}
    return _from_boto3()


def _from_boto3() -> dict[str, Any]:
    import boto3  # noqa: PLC0415 - optional dependency
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


def _azure(environ: Mapping[str, str]) -> dict[str, Any]:
    text = environ.get("AZURE_STORAGE_CONNECTION_STRING", "").strip()
    if text:
        return dict(ConnectionString.parse(text).fields)
    account, key, sas = (_first(names, environ) for names in (AZURE_ACCOUNT, AZURE_KEY, AZURE_SAS))
    if not account and not environ.get("AZURE_STORAGE_USE_EMULATOR"):
        names = "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_CONNECTION_STRING"
        raise InvalidConfigError((f"no storage account: {names} are not set; looked for: {LOOKED_FOR['az']}",))
    if not key and not sas:
        _require_complete(("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"), _AZURE_PRINCIPAL, environ, "az")
        _refuse_empty((*AZURE_KEY, *AZURE_SAS), environ)
    fields = {"account_name": account, "account_key": key, "sas_key": _signature(sas) if not key else ""}
    return {name: value for name, value in fields.items() if value}


def _signature(token: str) -> str:
    """Return a shared access signature without the address or the question mark that the portal puts before it."""
    return token.rpartition("?")[2]


@dataclass(frozen=True)
class ConnectionString:
    """A connection string of Azure's portal; the field names are obstore's."""

    fields: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> ConnectionString:
        """Return the parts of ``AccountName=...;AccountKey=...``; raise an InvalidConfigError if it has no account."""
        parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
        account = parts.get("AccountName", "")
        endpoint = parts.get("BlobEndpoint", "").rstrip("/")
        if not endpoint and account and "EndpointSuffix" in parts:
            scheme = parts.get("DefaultEndpointsProtocol", "https")
            endpoint = f"{scheme}://{account}.blob.{parts['EndpointSuffix']}"
        account = account or (urlsplit(endpoint).hostname or "").partition(".")[0]
        if not account:
            raise InvalidConfigError(
                ("AZURE_STORAGE_CONNECTION_STRING (environment) does not contain an account name",)
            )
        fields = {
            "account_name": account,
            "account_key": parts.get("AccountKey", ""),
            "sas_key": _signature(parts.get("SharedAccessSignature", "")),
            "endpoint": endpoint,
        }
        return cls({name: value for name, value in fields.items() if value})


def _require_google_files(environ: Mapping[str, str]) -> None:
    """Raise an InvalidConfigError if a credentials file does not exist, or is not valid JSON."""
    for name in _GOOGLE_FILES:
        path = environ.get(name, "").strip()
        if not path:
            continue
        if path.startswith("{"):
            raise InvalidConfigError(
                (f"{name} (environment) must be the path of a file; for the key itself use GOOGLE_SERVICE_ACCOUNT_KEY",)
            )
        try:
            json.loads(Path(path).read_bytes())
        except OSError as error:
            raise InvalidConfigError((f"{name} (environment): {path} cannot be read ({error.strerror})",)) from None
        except ValueError:
            raise InvalidConfigError((f"{name} (environment): {path} is not valid JSON",)) from None
