"""Configurations from files: YAML as people write it, JSON as Airbyte does, keys from the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from source_amplitude.config_file import read_config, read_raw_config
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from pathlib import Path

KEYS = "api_key: a-key\nsecret_key: a-secret\n"
FIELDS = {"api_key": "a-key", "secret_key": "a-secret"}


def written(folder: Path, text: str, name: str = "config.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def problems_of(path: str, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(InvalidConfigError) as raised:
        read_raw_config(path, environ or {})
    return raised.value.problems


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("start_date: 2026-03-04", {"start_date": "2026-03-04T00:00:00Z"}),
        ("start_date: 2026-03-04T05:00:00Z", {"start_date": "2026-03-04T05:00:00+00:00"}),
        ("start_date: 2026-03-04 05:00:00", {"start_date": "2026-03-04T05:00:00"}),
        ('start_date: "2026-03-04T05:00:00Z"', {"start_date": "2026-03-04T05:00:00Z"}),
        ("accepted_gaps: [2026-03-04T05, 2026-03-04T05/2026-03-04T09]", None),
        ("recheck_hours: [6, 24]", {"recheck_hours": [6, 24]}),
        ("recheck_hours:\n  - 6\n  - 24", {"recheck_hours": [6, 24]}),
        ("active_users_group_by_country: no", {"active_users_group_by_country": False}),
        ("active_users_group_by_country: True", {"active_users_group_by_country": True}),
        ("ages: &ages [6]\nrecheck_hours: *ages", {"ages": [6], "recheck_hours": [6]}),
        ("1: 2\nnull: 3", {1: 2, None: 3}),
        ("---\nnum_workers: 2\n...", {"num_workers": 2}),
        ("loop: &loop [*loop]", None),
    ],
)
def test_yaml_is_read_as_people_write_it(tmp_path: Path, text: str, read: dict[Any, Any] | None) -> None:
    body = text.replace("...", f"{KEYS}...") if text.endswith("...") else f"{text}\n{KEYS}"

    found = read_raw_config(written(tmp_path, body))

    if read is not None:
        assert found == FIELDS | read
    assert found["api_key"] == "a-key"


def test_gaps_of_whole_hours_need_no_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, f"{KEYS}start_date: 2026-03-04\naccepted_gaps: [2026-03-04T05, 2026-03-05T05:00:00Z]\n")

    raw = read_raw_config(path)

    assert raw["accepted_gaps"] == ["2026-03-04T05", "2026-03-05T05:00:00+00:00"]


def test_json_is_read_as_it_is(tmp_path: Path) -> None:
    fields = FIELDS | {"start_date": "2026-03-04T00:00:00Z", "recheck_hours": [6], "odd": {"nested": [None, 1.5, True]}}

    texts = [json.dumps(fields), json.dumps(fields, indent=2), "\n\t " + json.dumps(fields)]

    assert [read_raw_config(written(tmp_path, each)) for each in texts] == [fields] * 3


def test_a_byte_order_mark_of_an_editor_does_no_harm(tmp_path: Path) -> None:
    texts = ["\ufeff" + json.dumps(FIELDS), "\ufeff" + KEYS]

    assert [read_raw_config(written(tmp_path, each)) for each in texts] == [FIELDS] * 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no JSON object of fields and values"),
        ("# only a comment", "holds no JSON object of fields and values"),
        ("just words", "holds no JSON object of fields and values"),
        ("- api_key", "holds no JSON object of fields and values"),
        ("[1]", "holds no JSON object of fields and values"),
        ('{"api_key": hidden}', "is no JSON (Expecting value: line 1 column 13 (char 12))"),
        (
            "api_key: k\n\tsecret_key: hidden",
            "is no JSON and no YAML (line 2); keys with special characters need quotes",
        ),
        ("api_key: %hidden", "is no JSON and no YAML (line 1); keys with special characters need quotes"),
        ("api_key: *hidden", "is no JSON and no YAML (line 1); keys with special characters need quotes"),
        ("api_key: !hidden x", "is no JSON and no YAML (line 1); keys with special characters need quotes"),
        ("api_key: 'hidden", "is no JSON and no YAML (line 1); keys with special characters need quotes"),
        ("start_date: 2026-13-41", "is no JSON and no YAML"),
        ("[" * 100_000, "is no JSON (nested too deeply)"),
        ("a: " + "[" * 100_000, "is no JSON and no YAML"),
    ],
)
def test_what_is_neither_is_named_with_its_line_and_never_quoted(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)

    assert problems_of(path) == (f"--config: {path} {complaint}",)


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("api_key: ké".encode("latin-1"))

    assert problems_of(str(path)) == (f"--config: {path} is no text in UTF-8",)


@pytest.mark.parametrize(
    "form", ['{"api_key": "${A_KEY}", "secret_key": " ${B_KEY} "}', "api_key: ${A_KEY}\nsecret_key: ${B_KEY}"]
)
def test_keys_come_from_the_environment(tmp_path: Path, form: str) -> None:
    environ = {"A_KEY": "k%y: #'\"\\$HOME ${B_KEY}", "B_KEY": "two words"}

    raw = read_raw_config(written(tmp_path, form), environ)

    assert raw == {"api_key": environ["A_KEY"], "secret_key": "two words"}


@pytest.mark.parametrize(
    ("environ", "problems"),
    [
        (
            {},
            ("api_key: the environment variable A_KEY is not set", "secret_key: the environment variable B is not set"),
        ),
        ({"A_KEY": "", "B": "b"}, ("api_key: the environment variable A_KEY is empty",)),
        ({"A_KEY": " \n", "B": "b"}, ("api_key: the environment variable A_KEY is empty",)),
    ],
    ids=["not set", "empty", "blank"],
)
def test_a_variable_that_holds_nothing_is_named(tmp_path: Path, environ: dict[str, str], problems: tuple[str]) -> None:
    assert problems_of(written(tmp_path, "api_key: ${A_KEY}\nsecret_key: ${B}"), environ) == problems


@pytest.mark.parametrize(
    "key", ["${", "${}", "$A_KEY", "${A-KEY}", "${1}", "x${A_KEY}", "${A_KEY}${A_KEY}", "$${A_KEY}"]
)
def test_a_key_that_only_looks_like_a_variable_stays_what_it_is(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, json.dumps({"api_key": key, "start_date": "${A_KEY}"}))

    assert read_raw_config(path, {"A_KEY": "other"}) == {"api_key": key, "start_date": "${A_KEY}"}


@pytest.mark.parametrize("key", [5, None, ["${A_KEY}"], True])
def test_a_key_that_is_no_text_is_left_to_the_configuration(tmp_path: Path, key: object) -> None:
    path = written(tmp_path, json.dumps({"api_key": key, "secret_key": "s", "start_date": "2026-03-04T00:00:00Z"}))

    with pytest.raises(InvalidConfigError) as raised:
        read_config(path)

    assert [each.split(" is ")[0] for each in raised.value.problems] == ["api_key"]
