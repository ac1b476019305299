"""Credentials come from each cloud's usual sources, and are never printed or written."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from source_amplitude.errors import InvalidConfigError
from source_amplitude.landing.credentials import ConnectionString, store_credentials
from unit_tests.landing.program import PROJECT, at, ended, objects_of, oracle, stored
from unit_tests.peers.faults import FOREVER, Answer, CutRequest, xml_error
from unit_tests.peers.peer import FaultyPeer, Peer

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.azure import AzurePeer

AWKWARD = "q+/9=%2B%zz ü€\"'&;\\key"
AWS_SECRET = "wJalr+Utn/FEMI=K7MDENG%2FbPx&RfiCY"
NINE = ("--start", "2026-03-04T09", "--end", "2026-03-04T10")


def forms(secret: str) -> set[str]:
    """Return every text that would reveal a secret."""
    utf8 = secret.encode()
    plain = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    return plain | {base64.b64encode(utf8).decode().rstrip("=")}


@pytest.mark.parametrize("status", [400, 403, 503])
def test_aws_secrets_in_store_responses_are_not_printed(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer, status: int
) -> None:
    environ = faulty_s3.environ | {"AWS_SECRET_ACCESS_KEY": AWS_SECRET, "AWS_SESSION_TOKEN": "token/+=%41" * 4}
    echo = " ".join((*forms(AWS_SECRET), *forms(environ["AWS_SESSION_TOKEN"]), environ["AWS_ACCESS_KEY_ID"]))
    faulty_s3.front.inject(Answer(status, xml_error("SignatureDoesNotMatch", echo)), method="PUT", times=FOREVER)

    run = program.land(FaultyPeer(faulty_s3.url, environ, front=faulty_s3.front), *NINE)

    output = run.stdout + run.stderr
    assert half_a_day.requests != []
    assert run.exit_code == 1
    assert "SignatureDoesNotMatch" in run.problem
    assert [form for form in (AWS_SECRET, quote(AWS_SECRET, safe=""), "token/+=%41") if form in output] == []


def test_azure_signature_is_not_printed_in_connection_errors(
    half_a_day: Emulator, program: Program, faulty_azure: FaultyPeer
) -> None:
    sas = "sv=2023-11-03&sr=c&sp=racwdl&sig=" + quote("a+b/c=d e%f" * 3, safe="")
    environ = {key: value for key, value in faulty_azure.environ.items() if not key.endswith("_KEY")}
    environ["AZURE_STORAGE_SAS_TOKEN"] = sas
    peer = FaultyPeer(faulty_azure.url, environ, front=faulty_azure.front)
    faulty_azure.front.inject(CutRequest(), times=4)
    faulty_azure.front.inject(Answer(403, xml_error("AuthenticationFailed", sas)), times=FOREVER)

    runs = [program.land(peer, *NINE), program.missing(peer, *NINE)]

    output = "".join(run.stdout + run.stderr for run in runs)
    assert half_a_day.requests == []
    assert [run.exit_code for run in runs] == [1, 3]
    assert any("sig=" in request.path for request in faulty_azure.front.requests)
    assert [form for form in ("sig=", "a+b/c=d e%f", quote("a+b/c=d e%f", safe="")) if form in output] == []


@pytest.mark.usefixtures("half_a_day")
def test_invalid_azure_key_is_not_printed(program: Program, azure: AzurePeer) -> None:
    peer = Peer(azure.url, azure.environ | {"AZURE_STORAGE_ACCOUNT_KEY": AWKWARD})

    run = program.land(peer, *NINE)

    assert run.exit_code == 1
    assert peer.url in run.problem
    assert [form for form in forms(AWKWARD) if form in run.stdout + run.stderr] == []


@pytest.mark.parametrize("fault", ["server_error", "forbidden", "connection_reset", "html_page"])
def test_amplitude_keys_are_not_printed_or_written(
    half_a_day: Emulator, program: Program, folder: Peer, fault: str
) -> None:
    half_a_day.faults.add(fault)

    run = program.land(folder, *NINE, api_key=AWKWARD, secret_key=AWKWARD[::-1])

    files = [path for path in program.folder.rglob("*") if path.is_file() and path.name != "config.json"]
    output = run.stdout + run.stderr + "".join(path.read_text(encoding="utf-8") for path in files)
    assert run.exit_code == 1
    assert [form for form in forms(AWKWARD) | forms(AWKWARD[::-1]) if form in output] == []


def test_azure_connection_string_is_enough(half_a_day: Emulator, program: Program, azure: AzurePeer) -> None:
    peer = Peer(azure.url, {"AZURE_STORAGE_CONNECTION_STRING": azure.connection_string})

    landed, missing = program.land(peer), program.missing(peer)

    assert (landed.exit_code, missing.exit_code) == (0, 0)
    assert objects_of(stored(azure)) == oracle(half_a_day.store)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k+/==;EndpointSuffix=core.windows.net",
            {"account_name": "a", "account_key": "k+/==", "endpoint": "https://a.blob.core.windows.net"},
        ),
        (
            "BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D",
            {"account_name": "a", "sas_key": "sv=1&sig=x%3D", "endpoint": "https://a.blob.core.windows.net"},
        ),
    ],
)
def test_connection_string_is_parsed(text: str, fields: dict[str, str]) -> None:
    assert ConnectionString.parse(text).fields == fields
    assert "k+/==" not in repr(ConnectionString.parse(text))


def test_connection_string_without_account_is_refused() -> None:
    with pytest.raises(InvalidConfigError) as raised:
        ConnectionString.parse("AccountKey=secretkey;What=ever")

    assert raised.value.problems == ("AZURE_STORAGE_CONNECTION_STRING (environment) does not contain an account name",)


def without(peer: Peer, *names: str, **more: str) -> Peer:
    """Return a peer without some variables of its environment, and with others added."""
    return Peer(peer.url, {name: value for name, value in peer.environ.items() if name not in names} | more)


AZURE_NAMES = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY")


def test_azure_cli_variable_names_are_enough(half_a_day: Emulator, program: Program, azure: AzurePeer) -> None:
    account, key = (azure.environ[name] for name in AZURE_NAMES)
    peer = without(azure, *AZURE_NAMES, AZURE_STORAGE_ACCOUNT=account, AZURE_STORAGE_KEY=key)

    landed = program.land(peer, *NINE)

    assert landed.exit_code == 0, landed.stderr
    assert objects_of(stored(azure)) == oracle(half_a_day.store, at(9), at(10))


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        (
            {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=x%3D"},
            {"account_name": "a", "sas_key": "sv=1&sig=x%3D"},
        ),
        (
            {
                "AZURE_STORAGE_ACCOUNT": "a",
                "AZURE_STORAGE_SAS_TOKEN": " https://a.blob.core.windows.net/c?sv=1&sig=x\n",
            },
            {"account_name": "a", "sas_key": "sv=1&sig=x"},
        ),
        (
            {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT": "b", "AZURE_STORAGE_KEY": "k"},
            {"account_name": "a", "account_key": "k"},
        ),
        (
            {
                "AZURE_STORAGE_ACCOUNT_NAME": "a",
                "AZURE_CLIENT_ID": "i",
                "AZURE_CLIENT_SECRET": "s",
                "AZURE_TENANT_ID": "t",
            },
            {"account_name": "a"},
        ),
    ],
)
def test_azure_variables_become_store_options(environ: dict[str, str], options: dict[str, str]) -> None:
    assert store_credentials("az", environ) == options


AWS_LOOKED_FOR = (
    "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_PROFILE or ~/.aws (with boto3), "
    "AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, "
    "the machine's own role"
)
AZURE_LOOKED_FOR = (
    "AZURE_STORAGE_CONNECTION_STRING; AZURE_STORAGE_ACCOUNT_NAME (or AZURE_STORAGE_ACCOUNT) with "
    "AZURE_STORAGE_ACCOUNT_KEY (or AZURE_STORAGE_KEY), AZURE_STORAGE_SAS_TOKEN, "
    "AZURE_CLIENT_ID + AZURE_CLIENT_SECRET + AZURE_TENANT_ID, AZURE_USE_AZURE_CLI=true after az login, "
    "or the machine's own identity"
)
INCOMPLETE = "incomplete credentials (environment): "


@pytest.mark.parametrize(
    ("scheme", "environ", "problem"),
    [
        (
            "s3",
            {"AWS_ACCESS_KEY_ID": "secret"},
            f"{INCOMPLETE}AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not set; looked for: {AWS_LOOKED_FOR}",
        ),
        (
            "s3",
            {"AWS_SECRET_ACCESS_KEY": "secret", "AWS_ACCESS_KEY_ID": ""},
            f"{INCOMPLETE}AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is empty; looked for: {AWS_LOOKED_FOR}",
        ),
        (
            "s3",
            {"AWS_SESSION_TOKEN": "secret"},
            (
                f"{INCOMPLETE}AWS_SESSION_TOKEN is set, AWS_ACCESS_KEY_ID is not set and AWS_SECRET_ACCESS_KEY is not "
                f"set; looked for: {AWS_LOOKED_FOR}"
            ),
        ),
        (
            "s3",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": " "},
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are empty in the environment; set a value, or unset it",
        ),
        (
            "az",
            {"AZURE_STORAGE_ACCOUNT": "", "AZURE_STORAGE_KEY": "secret"},
            (
                "no storage account: AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT and "
                f"AZURE_STORAGE_CONNECTION_STRING are not set; looked for: {AZURE_LOOKED_FOR}"
            ),
        ),
        (
            "az",
            {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_CLIENT_SECRET": "secret", "AZURE_CLIENT_ID": "i"},
            f"{INCOMPLETE}AZURE_CLIENT_SECRET is set, AZURE_TENANT_ID is not set; looked for: {AZURE_LOOKED_FOR}",
        ),
        (
            "az",
            {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_ACCOUNT_KEY": ""},
            "AZURE_STORAGE_ACCOUNT_KEY is empty in the environment; set a value, or unset it",
        ),
        (
            "gs",
            {"GOOGLE_APPLICATION_CREDENTIALS": "/none.json"},
            "GOOGLE_APPLICATION_CREDENTIALS (environment): /none.json cannot be read (No such file or directory)",
        ),
        (
            "gs",
            {"GOOGLE_APPLICATION_CREDENTIALS": __file__},
            f"GOOGLE_APPLICATION_CREDENTIALS (environment): {__file__} is not valid JSON",
        ),
        (
            "gs",
            {"GOOGLE_SERVICE_ACCOUNT": '{"private_key": "secret"}'},
            (
                "GOOGLE_SERVICE_ACCOUNT (environment) must be the path of a file; for the key itself use "
                "GOOGLE_SERVICE_ACCOUNT_KEY"
            ),
        ),
    ],
)
@pytest.mark.usefixtures("program")
def test_incomplete_credentials_are_named_by_their_variables(
    scheme: str, environ: dict[str, str], problem: str
) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        store_credentials(scheme, environ)

    assert raised.value.problems == (problem,)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-north-1"}, {"region": "eu-north-1"}),
        ({"AWS_REGION": " "}, {"region": "us-east-1"}),
        ({"AWS_REGION": "eu-north-1"}, {}),
        ({"AWS_DEFAULT_REGION": "eu-north-1"}, {}),
    ],
)
@pytest.mark.usefixtures("program")
def test_blank_region_counts_as_not_set(environ: dict[str, str], options: dict[str, str]) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

    assert store_credentials("s3", environ | keys) == options


def of_profile(peer: Peer, program: Program, profile: str) -> Peer:
    """Move the keys of an environment into a profile of ``~/.aws``, which boto3 reads."""
    folder = program.folder / ".aws"
    folder.mkdir()
    keys = {name.lower(): peer.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    lines = [f"[{profile}]", *(f"{name} = {value}" for name, value in keys.items())]
    (folder / "credentials").write_text("\n".join(lines), encoding="utf-8")
    environ = {name: value for name, value in peer.environ.items() if name.lower() not in keys}
    return Peer(peer.url, environ | ({"AWS_PROFILE": profile} if profile != "default" else {}))


@pytest.mark.parametrize("profile", ["default", "landing"])
def test_aws_profiles_are_read_with_boto3(half_a_day: Emulator, program: Program, s3: Peer, profile: str) -> None:
    landed = program.land(of_profile(s3, program, profile))

    assert landed.exit_code == 0, landed.stderr
    assert objects_of(stored(s3)) == oracle(half_a_day.store)


def test_unknown_aws_profile_is_reported(program: Program, s3: Peer) -> None:
    peer = of_profile(s3, program, "landing")

    landed = program.land(Peer(peer.url, peer.environ | {"AWS_PROFILE": "other"}))

    assert landed.exit_code == 1
    assert "AWS_PROFILE cannot be used (The config profile (other) could not be found)" in landed.problem


BLOCKED = """\
import sys
from importlib.abc import MetaPathFinder
class Blocked(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
import importlib.util as util
found = util.find_spec
util.find_spec = lambda name, *more: None if name.partition(".")[0] in {names!r} else found(name, *more)
from source_amplitude.run import run
sys.exit(run(sys.argv[1:]))
"""


NOT_INSTALLED = (
    "This command needs obstore, which is not installed. "
    f"Run {sys.executable} -m pip install 'obstore>=0.11,<0.13' and then the command again."
)


NO_BOTO3 = (
    "AWS_PROFILE is set, and reading profiles needs boto3. "
    f"Run {sys.executable} -m pip install 'boto3>=1.34' and then the command again."
)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("obstore",), NOT_INSTALLED),
        (("boto3",), NO_BOTO3),
    ],
)
@pytest.mark.parametrize("command", ["land", "missing"])
def test_missing_library_error_has_the_install_command(
    program: Program, s3: Peer, names: tuple[str, ...], problem: str, command: str
) -> None:
    peer = of_profile(s3, program, "landing")
    options = ["--config", program.config(), "--to", peer.url]

    done = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(names=names), command, *options],
        cwd=PROJECT,
        env=program.environ(peer),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (
        {"land": 1, "missing": 3}[command],
        "",
        f"source-amplitude: {problem} Details: docs/errors.md#library-not-installed\n",
    )


def test_process_environment_is_enough(half_a_day: Emulator, program: Program, every_cloud: Peer) -> None:
    run = ended(program.start(every_cloud, *NINE))

    assert run.exit_code == 0, run.stderr
    assert run.stdout.startswith(f"{every_cloud.url}, 2026-03-04 09:00 UTC: ")
    assert run.stderr == ""
    assert objects_of(stored(every_cloud)) == oracle(half_a_day.store, at(9))
