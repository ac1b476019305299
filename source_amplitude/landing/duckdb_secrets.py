"""The SQL statements that give DuckDB's command line access to a store.

They name environment variables and never contain their values: the printed command can be shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.landing.credentials import AZURE_ACCOUNT, AZURE_KEY, AZURE_SAS
from source_amplitude.landing.event_view import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def secret_statements(scheme: str, environ: Mapping[str, str]) -> list[str]:
    """Return the statements that load DuckDB's extensions for a store and create its secret; none for a folder.

    Args:
        scheme: ``s3``, ``az``, ``gs``, or another one for a folder.
        environ: The environment variables that `landing.credentials` reads.
    """
    if scheme == "s3":
        return ["INSTALL httpfs; LOAD httpfs; INSTALL aws; LOAD aws;", _secret("s3", _s3(environ))]
    if scheme == "az":
        return ["INSTALL azure; LOAD azure;", _secret("azure", _azure(environ))]
    if scheme == "gs":
        return [
            "INSTALL httpfs; LOAD httpfs;",
            _secret("gcs", ["KEY_ID 'YOUR_HMAC_KEY_ID'", "SECRET 'YOUR_HMAC_SECRET'"]),
        ]
    return []


def _secret(kind: str, settings: Sequence[str]) -> str:
    return f"CREATE OR REPLACE SECRET ({', '.join([f'TYPE {kind}', *settings])});"


def _s3(environ: Mapping[str, str]) -> list[str]:
    settings = ["PROVIDER credential_chain"]
    if region := environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"):
        settings.append(f"REGION {text(region)}")
    if endpoint := environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"):
        scheme, _, host = endpoint.rpartition("://")
        settings += [f"ENDPOINT {text(host.rpartition('@')[2].rstrip('/'))}", "URL_STYLE 'path'"]
        settings += ["USE_SSL false"] if scheme == "http" else []
    return settings


def _azure(environ: Mapping[str, str]) -> list[str]:
    """Return the settings for the first credentials that `landing.credentials` would use."""
    if environ.get("AZURE_STORAGE_CONNECTION_STRING"):
        return ["CONNECTION_STRING getenv('AZURE_STORAGE_CONNECTION_STRING')"]
    account = next((environ[name] for name in AZURE_ACCOUNT if environ.get(name)), "YOUR_ACCOUNT")
    endpoint = environ.get("AZURE_STORAGE_ENDPOINT")
    known = f"AccountName={account};" + (
        f"BlobEndpoint={endpoint};" if endpoint else "EndpointSuffix=core.windows.net;"
    )
    for names, part, value in (
        (AZURE_KEY, "AccountKey=", "getenv('{}')"),
        (AZURE_SAS, "SharedAccessSignature=", "ltrim(getenv('{}'), '?')"),
    ):
        if name := next((each for each in names if environ.get(each)), None):
            return [f"CONNECTION_STRING {text(known + part)} || {value.format(name)}"]
    return ["PROVIDER credential_chain", f"ACCOUNT_NAME {text(account)}"]
