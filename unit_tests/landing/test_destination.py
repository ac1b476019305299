from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.errors import InvalidConfigError
from source_amplitude.landing.destination import Destination, parse_destination
from unit_tests.peers.peer import Peer

if TYPE_CHECKING:
    from unit_tests.landing.program import Program


@pytest.mark.parametrize(
    ("text", "destination", "shown"),
    [
        ("s3://bucket/a/b", Destination("s3", "bucket", "a/b"), "s3://bucket/a/b"),
        ("s3://bucket", Destination("s3", "bucket", ""), "s3://bucket"),
        ("gs://bucket/a/", Destination("gs", "bucket", "a"), "gs://bucket/a"),
        ("az://container//a", Destination("az", "container", "a"), "az://container/a"),
        ("folder", Destination("file", "", "folder"), "folder"),
        ("/folder/a b", Destination("file", "", "/folder/a b"), "/folder/a b"),
        ("file:///folder", Destination("file", "", "/folder"), "/folder"),
        ("~/folder", Destination("file", "", str(Path.home() / "folder")), str(Path.home() / "folder")),
    ],
)
def test_destination_is_a_bucket_with_prefix_or_a_folder(text: str, destination: Destination, shown: str) -> None:
    assert (parse_destination(text), str(parse_destination(text))) == (destination, shown)


@pytest.mark.parametrize(
    "text",
    [
        "s3://key:secret@bucket/a",
        "s3a://key:secret@bucket/a",
        "az://container/a?sig=secret",
        "s3://bucket/a#secret",
        "key:secret@bucket",
        "https://user:secret@bucket.s3.amazonaws.com/a",
    ],
)
def test_value_with_secrets_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == (
        "--to contains more than a destination; put credentials in the environment (see docs/landing.md)",
    )


ACCOUNT = " with AZURE_STORAGE_ACCOUNT_NAME=account in the environment"
ENDPOINT = " with AWS_ENDPOINT_URL set to the store's address"
SUGGESTIONS = {
    "s3:/b": "s3://b",
    "s3:b/a": "s3://b/a",
    "s3:": "",
    "s3:///a": "s3://a",
    "s3:\\\\b\\a": "s3://b/a",
    "S3://b/A": "s3://b/A",
    " s3://b": "s3://b",
    "'s3://b/a'": "s3://b/a",
    "s3a://bucket/x": "s3://bucket/x",
    "s3n://bucket": "s3://bucket",
    "arn:aws:s3:::bucket/x": "s3://bucket/x",
    "https://bucket.s3.eu-central-1.amazonaws.com/a": "s3://bucket/a",
    "https://s3.eu-central-1.amazonaws.com/bucket/a": "s3://bucket/a",
    "minio://b/x": f"s3://b/x{ENDPOINT}",
    "r2://b": f"s3://b{ENDPOINT}",
    "gcs://b": "gs://b",
    "gs:/b/a": "gs://b/a",
    "https://storage.googleapis.com/b/a": "gs://b/a",
    "https://console.cloud.google.com/storage/browser/b/a": "gs://b/a",
    "azure://c/p": "az://c/p",
    "az:c/p": "az://c/p",
    "abfs://c/p": "az://c/p",
    "abfss://container@account.dfs.core.windows.net/a/b": f"az://container/a/b{ACCOUNT}",
    "wasbs://container@account.blob.core.windows.net": f"az://container{ACCOUNT}",
    "az://account.blob.core.windows.net/container/a": f"az://container/a{ACCOUNT}",
    "https://account.blob.core.windows.net/container/a": f"az://container/a{ACCOUNT}",
    "file:/x": "/x",
    "file:x/y": "./x/y",
    "FILE:///x": "/x",
    "file://host/a": "./host/a (or /host/a if the path is absolute)",
    "dbfs:/x": "/dbfs/x",
}


@pytest.mark.parametrize("text", [each for each, suggestion in SUGGESTIONS.items() if suggestion and "@" not in each])
def test_near_miss_is_refused_with_a_suggestion(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == (f"--to: {text!r} is not a known destination; use {SUGGESTIONS[text]}",)


@pytest.mark.parametrize("text", [each for each in SUGGESTIONS if "@" in each])
def test_suggestion_puts_azure_account_into_the_environment(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == (f"--to: the value is not a known destination; use {SUGGESTIONS[text]}",)


def test_signature_in_an_address_is_not_quoted() -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination("https://account.blob.core.windows.net/container/a?sv=1&sig=secret")

    suggestion = f"az://container/a{ACCOUNT}; put credentials in the environment"
    assert raised.value.problems == (f"--to: the value is not a known destination; use {suggestion}",)


FORMS = "s3://bucket/prefix, az://container/prefix, gs://bucket/prefix or a folder"


@pytest.mark.parametrize(
    "text", ["ftp://host/a", "hdfs://name/a", "s3://", "x://a", "https://example.com/a", "file://", "az://"]
)
def test_unknown_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == (f"--to: {text!r} must be {FORMS}",)


@pytest.mark.parametrize("text", ["landed:2026", "localhost:9000/b", "2026-03-04T09:00", "s3:"])
def test_folder_name_with_colon_is_refused_with_a_suggestion(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == (
        f"--to: {text!r} must be {FORMS} (./{text} if the folder's name contains a colon)",
    )
    assert parse_destination(f"./{text}") == Destination("file", "", text)
    assert str(parse_destination(f"./{text}")) == f"./{text}"


@pytest.mark.parametrize("text", ["C:\\landed", "C:/landed", "c:landed", "a/b:c", "/a:b", "a@b", "s3", "a?b"])
def test_drive_and_path_are_folders(text: str) -> None:
    assert parse_destination(text) == Destination("file", "", text)


@given(
    st.one_of(st.text(min_size=1), st.builds("".join, st.lists(st.sampled_from([*"s3az:/@?# .'C\\", "gs", "file"]))))
)
def test_any_text_is_a_destination_or_gets_a_valid_suggestion(text: str) -> None:
    try:
        destination = parse_destination(text)
    except InvalidConfigError as error:
        hint = error.problems[0].partition("; use ")[2]
        for each in filter(None, [hint.split("; ")[0].split(" with ")[0].split(" (or ")[0]]):
            assert each.startswith(("s3://", "az://", "gs://", "/", "./"))
        return
    is_address = text.startswith(("s3://", "az://", "gs://", "file:///"))
    first = text.replace("\\", "/").partition("/")[0].strip(" \t\r\n'\"")
    assert (destination.folder is None) == (is_address and not text.startswith("file"))
    assert is_address or ":" not in first or (first[1:2] == ":" and first[0].isalpha())


@pytest.mark.parametrize("text", ["", " "])
def test_empty_destination_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == ("--to is empty",)


@pytest.mark.parametrize("command", [("land", "--config", "none.json"), ("missing",), ("report",)])
def test_every_command_refuses_a_mistyped_store(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *options = command
    options = ["--config", program.config()] if options else []

    ended = program.run(name, Peer("s3a://bucket/x"), *options)

    assert ended.exit_code == 2
    assert ended.problem == (
        "The configuration has 1 problem: --to: 's3a://bucket/x' is not a known destination; "
        "use s3://bucket/x. Correct these values and run the command again."
    )
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_report_page_is_not_written_into_a_store(program: Program, folder: Peer) -> None:
    Path(folder.url).mkdir()

    ended = program.run("report", folder, "--out", "s3://bucket/report.html")

    assert ended.exit_code == 2
    assert "--out: 's3://bucket/report.html' is not a local file" in ended.problem
    assert list(Path(folder.url).iterdir()) == []
