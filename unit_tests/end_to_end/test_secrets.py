"""No form of a key is printed or left in a file, for any key, command and exit."""

from __future__ import annotations

import base64
import html
import json
import os
import random
import shutil
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets

from source_amplitude.airbyte.source import register_secrets
from source_amplitude.api import redact, secret_forms
from source_amplitude.config import Keys
from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram, Shown

DAY = "2026-03-04"
_BEGINNING_CHARS = 40
SEED = 7
# Each pair of keys runs every fourth case, so that each case has six pairs; SECRETS_EVERY=1 runs all of them.
EVERY = int(os.environ.get("SECRETS_EVERY", "4"))

PAIRS = {
    "percent": ("100%41pure%20key", "50%%s%(name)s%2B"),
    "plus, slash, equals": ("ab+cd/ef==gh", "zz//yy++xx="),
    "unicode": ("schlüssel-€-鍵-🔑", "gëheim\u0301-ключ"),
    "quotes": ('it\'s "quoted" `here`', "\"\"\"triple'''"),
    "backslashes": ("C:\\new\\table\\x41", "\\\\server\\share\\"),
    "shell": ("$(touch pwned); `id` && ${HOME} | !!", "~/*?[a-z]{1,2} > /dev/null #"),
    "regex": ("^(.*)+[^a]{2,}\\d$|x?", ".*?(?P<n>a)\\1|\\Q"),
    "a leading dash": ("--config=secret-of-dash", "-rf secret-of-dash-two"),
    "spaces inside": ("two  words   wide", "tab\tand space"),
    "like a newline": ("line\\nbreak\\r\\n-key", "real\nnewline\r\nkey-two"),
    "html": ("<b>&amp;&lt;key>", "<script>alert('k')</script>"),
    "markup": ("[red]k-e-y[/red]", "[/] :smile: \x1b[31mansi"),
    "very long": ("k1-" + "longkey" * 100, "s1-" + "longsecret" * 100),
    "one in the other": ("abcdefgh12", "abcdefgh12-and-the-rest-9876"),
    "the other in the one": ("prefix-1234567890-suffix-xyz", "1234567890"),
    "like a variable": ("${not-a variable", "{{ jinja }} %(x)s {0!r}"),
    "json": ('{"api_key": "inner-key-1"}', '["a-list", 1, null]'),
    "header injection": ("key\r\nX-Injected: yes", "secret\x0bvertical"),
}


def random_pairs(count: int) -> Iterator[tuple[str, tuple[str, str]]]:
    chance = random.Random(SEED)
    letters = string.ascii_letters + string.digits + "%+/=&?#'\"\\$(){}[]|^*.;:<>!~` -_,@é€鍵🔑"
    for number in range(count):
        first, second = ("".join(chance.choices(letters, k=chance.randint(8, 60))).strip() + "Zq9" for _ in "ab")
        yield f"random {number}", (first, second)


ALL_PAIRS = PAIRS | dict(random_pairs(6))


@dataclass(frozen=True)
class Case:
    """A command to run with a pair of keys.

    Attributes:
        arguments: The command line; ``{}`` is the folder.
        fault: A fault of the emulator with its settings, in which "KEYS" stands for both keys.
        changes: Changes to the configuration.
        is_refused: Whether the emulator rejects the keys.
        exit_code: The expected exit code.
    """

    arguments: str
    fault: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    is_refused: bool = False
    exit_code: int = 1


READ = "read --config {}/config.json --catalog {}/catalog.json --debug"
LAND = f"land --config {{}}/config.json --start {DAY} --to {{}}/landed"
ECHO = {"name": "forbidden", "details": "Invalid KEYS for this"}
CASES = {
    "spec": Case("spec --debug", exit_code=0),
    "check": Case("check --config {}/config.json --debug", exit_code=0),
    "check, refused": Case("check --config {}/config.json", is_refused=True),
    "check, refused with an echo": Case("check --config {}/config.json --debug", ECHO),
    "check, keys in other fields": Case("check --config {}/config.json", changes={"data_region": "KEYS"}),
    "discover": Case("discover --config {}/config.json --debug", exit_code=0),
    "discover, keys in other fields": Case("discover --config {}/config.json", changes={"start_date": "KEYS"}),
    "read": Case(READ + " --state-file {}/kept.json", exit_code=0),
    "read, refused": Case(READ, is_refused=True),
    "read, an echo of any status": Case(READ, {"name": "bad_request", "status": 418, "message": "KEYS"}),
    "read, an echo in a page": Case(READ, {"name": "server_error", "body": "KEYS", "content_type": "text/html"}),
    "read, an echo in JSON": Case(READ, {"name": "json", "status": 500, "body": {"error": {"message": "KEYS"}}}),
    "read, too large": Case(READ, {"name": "too_large_above_hours", "hours": 0}),
    "read, garbage": Case(READ, {"name": "html_instead_of_zip"}),
    "read, cut": Case(READ, {"name": "cut_body", "after_bytes": 50}),
    "read, connection reset": Case(READ, {"name": "connection_reset"}),
    "land": Case(LAND + " --debug", exit_code=0),
    "land, refused with an echo": Case(LAND, ECHO),
    "land, an echo for a window": Case(LAND, {"name": "bad_request", "status": 418, "message": "KEYS"}),
    "land, keys in other fields": Case(LAND, changes={"malformed_lines": "KEYS"}),
    "land, a store that fails": Case(f"land --config {{}}/config.json --start {DAY} --to s3://bucket/prefix"),
    "missing": Case(f"missing --config {{}}/config.json --start {DAY} --to {{}}/empty --debug", exit_code=3),
    "report": Case(
        f"report --config {{}}/config.json --start {DAY} --to {{}}/landed --out {{}}/report.html --debug", exit_code=0
    ),
    "report, keys in other fields": Case(
        "report --config {}/config.json --to {}/landed", changes={"accepted_gaps": ["KEYS"]}
    ),
    "config": Case("config", exit_code=0),
}


def forms_of(api_key: str, secret_key: str) -> set[str]:
    """Return the forms that must not appear, without using the connector's own list.

    The keys are long enough that no form appears by chance.
    """
    pair = f"{api_key}:{secret_key}"
    forms = set()
    for text in (api_key, secret_key, pair):
        data = text.encode()
        forms |= {text, quote(text), quote(text, safe=""), quote_plus(text), repr(text)[1:-1], html.escape(text)}
        forms |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        forms |= {base64.b64encode(data).decode().rstrip("="), base64.urlsafe_b64encode(data).decode().rstrip("=")}
    beginnings = {key[:_BEGINNING_CHARS] for key in (api_key, secret_key) if len(key) > 2 * _BEGINNING_CHARS}
    return forms | beginnings | {part for part in remainders(api_key, secret_key) if len(part) > 4}


def remainders(api_key: str, secret_key: str) -> list[str]:
    """Return the rest of a key after masking the other key, if that is a part of it."""
    for part, whole in ((api_key, secret_key), (secret_key, api_key)):
        if part in whole:
            return whole.split(part)
    return []


def with_keys(value: Any, keys: tuple[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON value with both keys in place of KEYS."""
    if isinstance(value, str):
        return value.replace("KEYS", " and ".join(keys))
    if isinstance(value, list):
        return [with_keys(each, keys) for each in value]
    if isinstance(value, dict):
        return {name: with_keys(each, keys) for name, each in value.items()}
    return value


class Runner:
    """Runs cases with a pair of keys that the emulator accepts, and searches output and files for the keys."""

    def __init__(self, emulator: Emulator, connector: Connector, program: ReadyProgram, folder: Path) -> None:
        self._emulator = emulator
        self._connector = connector
        self._program = program
        self._folder = folder
        self._accepted = b""
        connector.environ["TERM"] = "xterm-256color"
        connector.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "eu-west-1"}
        connector.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"  # unused port: the store fails
        connector.environ["TMPDIR"] = str(folder / "tmp")

    def keys_of(self, authorization: str) -> tuple[str, str]:
        """Return the emulator's own keys for a header with the keys of the case."""
        if base64.b64decode(authorization.removeprefix("Basic ")) == self._accepted:
            return self._emulator.project.api_key, self._emulator.project.secret_key
        return "another", "another"

    def run(self, case: Case, keys: tuple[str, str], *, at_a_terminal: bool) -> tuple[Shown, list[str]]:
        """Return the output, and the places where a key was found."""
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)
        (self._folder / "tmp").mkdir()
        changes = {"api_key": keys[0], "secret_key": keys[1]} | with_keys(case.changes or {}, keys)
        self._connector.reading(request_time_range=2, **changes)
        self._accepted = b"" if case.is_refused else ":".join(key.strip() for key in keys).encode()
        self._emulator.faults.clear()
        if case.fault:
            settings = with_keys(case.fault, keys)
            self._emulator.faults.add(settings.pop("name"), **settings)
        arguments = [each.replace("{}", str(self._folder)) for each in case.arguments.split()]
        shown = self._program.run(
            arguments,
            self._connector.environ,
            stdout=at_a_terminal,
            stderr=at_a_terminal,
            now=NOON.isoformat() if arguments[0] in ("land", "missing", "report") else "",
        )
        return shown, self.found(shown, forms_of(*keys))

    def found(self, shown: Shown, forms: set[str]) -> list[str]:
        places = {"stdout": shown.stdout, "stderr": shown.stderr}
        for path in self._folder.rglob("*"):
            name = str(path.relative_to(self._folder))
            if path.is_file() and name not in ("config.json", "catalog.json"):
                places[name] = path.read_bytes()
            places["names of files"] = places.get("names of files", b"") + name.encode()
        return [
            f"{form!r} in {place}"
            for place, content in places.items()
            for form in forms
            if form.casefold() in content.decode("utf-8", "replace").casefold()
        ]


@pytest.fixture
def runner(
    half_a_day: Emulator,
    connector: Connector,
    ready_program: ReadyProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Runner]:
    made = Runner(half_a_day, connector, ready_program, tmp_path)
    monkeypatch.setattr("amplitude_emulator.basic_auth._read_basic", made.keys_of)
    yield made
    half_a_day.faults.clear()


@pytest.mark.parametrize("name", ALL_PAIRS)
def test_no_command_reveals_a_key(runner: Runner, name: str) -> None:
    turn = list(ALL_PAIRS).index(name)
    cases = list(CASES.items())[turn % EVERY :: EVERY]

    for number, (title, case) in enumerate(cases):
        at_a_terminal = bool((number + turn // EVERY) % 2)
        shown, found = runner.run(case, ALL_PAIRS[name], at_a_terminal=at_a_terminal)

        assert (title, at_a_terminal, shown.exit_code, found) == (title, at_a_terminal, case.exit_code, [])


def test_the_search_finds_a_revealed_key(runner: Runner, tmp_path: Path) -> None:
    shown, found = runner.run(CASES["config"], ("AMPLITUDE_API_KEY", "another"), at_a_terminal=False)
    (tmp_path / "left.txt").write_bytes(base64.b64encode(b"AMPLITUDE_API_KEY:another"))

    also = runner.found(shown, forms_of("AMPLITUDE_API_KEY", "another"))

    assert found == ["'AMPLITUDE_API_KEY' in stdout"] * 1
    assert any("left.txt" in each for each in also)


@pytest.mark.parametrize("name", ALL_PAIRS)
def test_every_form_of_a_key_is_masked(name: str) -> None:
    api_key, secret_key = ALL_PAIRS[name]
    forms = forms_of(api_key, secret_key)
    text = " | ".join(sorted(secret_forms(Keys(api_key, secret_key))))

    masked = redact(text, Keys(api_key, secret_key))

    assert [form for form in forms if form.casefold() in masked.casefold()] == []


@pytest.mark.parametrize("name", ["one in the other", "the other in the one"])
def test_airbytes_filter_masks_a_key_inside_the_other(name: str) -> None:
    api_key, secret_key = PAIRS[name]

    try:
        register_secrets({"api_key": api_key, "secret_key": secret_key})
        filtered = [filter_secrets(f"<{key}>") for key in (api_key, secret_key)]
    finally:
        update_secrets([])

    assert filtered == ["<****>", "<****>"]
