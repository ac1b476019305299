"""The statements for DuckDB's secrets name variables and contain no values of them."""

from __future__ import annotations

import pytest

from source_amplitude.landing.duckdb_secrets import secret_statements

KNOWN = "'AccountName=acme;EndpointSuffix=core.windows.net;"


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({"AZURE_STORAGE_CONNECTION_STRING": "AccountKey=s3cret"}, "CONNECTION_STRING getenv('{}')"),
        ({"AZURE_STORAGE_ACCOUNT_KEY": "s3cret"}, f"CONNECTION_STRING {KNOWN}AccountKey=' || getenv('{{}}')"),
        ({"AZURE_STORAGE_KEY": "s3cret"}, f"CONNECTION_STRING {KNOWN}AccountKey=' || getenv('{{}}')"),
        (
            {"AZURE_STORAGE_SAS_TOKEN": "?sig=s3cret"},
            f"CONNECTION_STRING {KNOWN}SharedAccessSignature=' || ltrim(getenv('{{}}'), '?')",
        ),
        ({"AZURE_CLIENT_SECRET": "s3cret"}, "PROVIDER credential_chain, ACCOUNT_NAME 'acme'"),
    ],
    ids=["connection string", "key", "key of the CLI", "signature", "principal"],
)
def test_azure_secret_names_the_variable(environ: dict[str, str], settings: str) -> None:
    (name,) = environ

    statements = secret_statements("az", {"AZURE_STORAGE_ACCOUNT": "acme", **environ})

    assert statements == [
        "INSTALL azure; LOAD azure;",
        f"CREATE OR REPLACE SECRET (TYPE azure, {settings.format(name)});",
    ]


def test_s3_secret_has_region_and_endpoint() -> None:
    environ = {"AWS_DEFAULT_REGION": "eu-north-1", "AWS_ENDPOINT_URL": "http://user:s3cret@localhost:9000/"}

    extensions, secret = secret_statements("s3", environ)

    assert extensions == "INSTALL httpfs; LOAD httpfs; INSTALL aws; LOAD aws;"
    assert secret == (
        "CREATE OR REPLACE SECRET (TYPE s3, PROVIDER credential_chain, REGION 'eu-north-1', "
        "ENDPOINT 'localhost:9000', URL_STYLE 'path', USE_SSL false);"
    )


def test_google_secret_has_places_for_a_key() -> None:
    assert secret_statements("gs", {"GOOGLE_SERVICE_ACCOUNT_KEY": "s3cret"}) == [
        "INSTALL httpfs; LOAD httpfs;",
        "CREATE OR REPLACE SECRET (TYPE gcs, KEY_ID 'YOUR_HMAC_KEY_ID', SECRET 'YOUR_HMAC_SECRET');",
    ]


def test_folder_needs_no_secret() -> None:
    assert secret_statements("file", {}) == []
