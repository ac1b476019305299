from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.errors import AmplitudeError, InvalidConfigError
from source_amplitude.landing.destination import Destination, StoreLimits, parse_destination
from source_amplitude.landing.store import Store
from unit_tests.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

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


ODD_STORES = {
    "s3://[x": "'[x' is not the name of a bucket",
    "s3://B UCKET/p": "'B UCKET' is not the name of a bucket",
    "s3://a\x1bb": "'a\\x1bb' is not the name of a bucket",
    "gs://b<c>/p": "'b<c>' is not the name of a bucket",
    "az://con tainer": "'con tainer' is not the name of a container",
    "s3://bucket/a//b": "the prefix contains '//'",
    "s3://bucket/../b": "the prefix contains '/../'",
    "az://container/a/./b": "the prefix contains '/./'",
    "s3://bucket/a\nb": "the prefix contains a control character",
    "s3://bucket/\ud800": "the prefix contains a control character",
}


@pytest.mark.parametrize(("text", "problem"), ODD_STORES.items())
def test_store_that_obstore_cannot_open_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == (f"--to: {text!r}: {problem}",)


@pytest.mark.parametrize(
    "text", ["s3://Old_Bucket.x", "s3://tenant:bucket/p", "az://$web/p", "gs://a_b.c", "s3://b/p q/[x"]
)
def test_unusual_names_of_stores_are_accepted(text: str) -> None:
    assert str(parse_destination(text)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("~no-such-user/x", "--to: '~no-such-user/x' is below the home folder of a user that does not exist"),
        ("~\ud800", "--to: '~\\ud800' contains a character that a path cannot have"),
        ("a\0b", "--to: 'a\\x00b' contains a character that a path cannot have"),
    ],
)
def test_impossible_folder_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_destination(text)

    assert raised.value.problems == (problem,)


CLOSED = {  # addresses without a server
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "key",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ALLOW_HTTP": "true",
    "AZURE_STORAGE_ACCOUNT_NAME": "account",
    "AZURE_STORAGE_ACCOUNT_KEY": "a2V5",
    "AZURE_STORAGE_ENDPOINT": "http://127.0.0.1:9",
    "AZURE_ALLOW_HTTP": "true",
}
AT_ONCE = StoreLimits(max_retries=0, retry_seconds=0.1, connect_seconds=1, request_seconds=1)
ODD_TEXTS = st.text(max_size=12) | st.text(
    st.sampled_from([*"/.~ []<>`@:%\\#?*$_-aA\0\x1b\x7f\n\ud800\u202e"]), max_size=12
)


@pytest.fixture(scope="module")
def closed_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Environment variables with addresses without a server, and an empty working folder."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))]:
            monkeypatch.delenv(name)
        for name, value in CLOSED.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
        yield


@pytest.mark.usefixtures("closed_stores")
@given(st.builds("{}{}".format, st.sampled_from(["", "s3://", "az://", "file:///", "~", "./"]), ODD_TEXTS))
@settings(max_examples=400)
def test_any_text_opens_a_store_or_is_an_error(text: str) -> None:
    problem, content = "", None
    try:
        content = Store(parse_destination(text), AT_ONCE, create=False).get("no-such-object")
    except AmplitudeError as error:
        problem = error.message

    assert content is None
    assert problem == "" or "docs/errors.md#" in problem


@pytest.mark.usefixtures("closed_stores")
@pytest.mark.parametrize(
    ("name", "value", "to"),
    [
        ("AWS_ENDPOINT_URL", "http://[x", "s3://bucket"),
        ("AWS_ENDPOINT_URL", "x", "s3://bucket"),
        ("AWS_ENDPOINT_URL", "http://x:99999", "s3://bucket"),
        ("AZURE_STORAGE_ENDPOINT", "http://[x", "az://container"),
    ],
)
def test_impossible_address_of_a_store_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, to: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(AmplitudeError) as raised:
        Store(parse_destination(to), AT_ONCE, create=False).get("a")

    assert (to in raised.value.message, name in raised.value.message) == (True, True)


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
