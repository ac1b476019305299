"""Configuration files: YAML, JSON, and keys from the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from source_amplitude.config import AMPLITUDE_BEGINNING
from source_amplitude.config.file import read_config, read_raw_config
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
        ("start_date: 2026-03-04", {"start_date": "2026-03-04"}),
        ("start_date: 2026-03-04T05:00:00Z", {"start_date": "2026-03-04T05:00:00Z"}),
        ("start_date: 2026-03-04 05:00:00", {"start_date": "2026-03-04 05:00:00"}),
        ("start_date: 2026-13-41", {"start_date": "2026-13-41"}),
        ("start_date: 20260304", {"start_date": "20260304"}),
        ("end_date:", {"end_date": None}),
        ("end_date: null\nproject_time_zone: ~", {"end_date": None, "project_time_zone": None}),
        ('start_date: "2026-03-04T05:00:00Z"', {"start_date": "2026-03-04T05:00:00Z"}),
        ("accepted_gaps: [2026-03-04T05, 2026-03-04T05/2026-03-04T09]", None),
        ("recheck_hours: [6, 24]", {"recheck_hours": [6, 24]}),
        ("recheck_hours:\n  - 6\n  - 24", {"recheck_hours": [6, 24]}),
        ("active_users_group_by_country: no", {"active_users_group_by_country": False}),
        ("active_users_group_by_country: True", {"active_users_group_by_country": True}),
        ("active_users_group_by_country: off", {"active_users_group_by_country": False}),
        ("active_users_group_by_country: 0", {"active_users_group_by_country": "0"}),
        ("num_workers: 0x4", {"num_workers": "0x4"}),
        ("num_workers: 04", {"num_workers": "04"}),
        ("num_workers: +4", {"num_workers": 4}),
        ("num_workers: 4.0", {"num_workers": "4.0"}),
        ("num_workers: yes", {"num_workers": "yes"}),
        ("request_time_range: 1_0", {"request_time_range": "1_0"}),
        ("request_time_range: 1:30", {"request_time_range": "1:30"}),
        ("recheck_hours: [6, 0x18]", {"recheck_hours": [6, "0x18"]}),
        ("recheck_hours: 6", {"recheck_hours": "6"}),
        ("cohort_ids: [1e23456, '0123456', \"12345678\", ab12345]", None),
        ("cohort_ids: 0123456", {"cohort_ids": "0123456"}),
        ("cohort_ids:\n  -", {"cohort_ids": [None]}),
        ("cohort_properties: [=, '<<']", {"cohort_properties": ["=", "<<"]}),
        ("malformed_lines: |\n  5", {"malformed_lines": "5\n"}),
        ("1: 2\nnull: 3\nyes: 4", {"1": 2, "null": 3, "yes": 4}),
        ("<<: {num_workers: 2}", {"num_workers": 2}),
        ("odd: 0123456", {"odd": 42798}),
        (f"odd: {'1:' * 100}1", {"odd": "1:" * 100 + "1"}),
        (f"odd: 0x{'f' * 5000}", {"odd": "0x" + "f" * 5000}),
        (f"num_workers: {'9' * 5000}", {"num_workers": "9" * 5000}),
        ("---\nnum_workers: 2\n...", {"num_workers": 2}),
    ],
)
def test_yaml_values_are_read_as_written(tmp_path: Path, text: str, read: dict[Any, Any] | None) -> None:
    body = text.replace("...", f"{KEYS}...") if text.endswith("...") else f"{text}\n{KEYS}"

    found = read_raw_config(written(tmp_path, body))

    if read is not None:
        assert found == FIELDS | read
    assert found["api_key"] == "a-key"


BILLION = "\n".join(f"{a}: &{a} [{', '.join([f'*{b}'] * 9)}]" for a, b in zip("bcdefghij", "abcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("api_key: *hidden", 1),
        ("api_key: k\nsecret_key: &hidden x", 2),
        ("loop: &loop [*loop]", 1),
        ("loop: &loop\n  <<: *loop", 1),
        ("ages: [6]\n\nrecheck_hours: *ages", 3),
        ("base: &base {num_workers: 2}\n<<: *base", 1),
        ("a: [x]\n" + BILLION, 2),
    ],
    ids=["alias", "anchor", "recursive list", "recursive mapping", "unknown alias", "merge", "a billion values"],
)
def test_yaml_aliases_are_refused_by_line(tmp_path: Path, text: str, line: int) -> None:
    path = written(tmp_path, text)

    where = f"line {line} has an alias or anchor, * or &"
    hint = "write the value itself, and put keys with special characters in quotes"
    assert problems_of(path) == (f"--config: {path} is not valid JSON or plain YAML ({where}); {hint}",)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"], ids=["NUL", "surrogate"])
def test_an_impossible_file_name_is_reported(name: str) -> None:
    assert problems_of(name) == (f"--config: {name} cannot be read (not a file name)",)


def test_gaps_of_whole_hours_need_no_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, f"{KEYS}start_date: 2026-03-04\naccepted_gaps: [2026-03-04T05, 2026-03-05T05:00:00Z]\n")

    raw = read_raw_config(path)

    assert raw["accepted_gaps"] == ["2026-03-04T05", "2026-03-05T05:00:00Z"]


def test_json_is_read_unchanged(tmp_path: Path) -> None:
    fields = FIELDS | {"start_date": "2026-03-04T00:00:00Z", "recheck_hours": [6], "odd": {"nested": [None, 1.5, True]}}

    texts = [json.dumps(fields), json.dumps(fields, indent=2), "\n\t " + json.dumps(fields)]

    assert [read_raw_config(written(tmp_path, each)) for each in texts] == [fields] * 3


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    texts = ["\ufeff" + json.dumps(FIELDS), "\ufeff" + KEYS]

    assert [read_raw_config(written(tmp_path, each)) for each in texts] == [FIELDS] * 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not contain a JSON object of fields and values"),
        ("# only a comment", "does not contain a JSON object of fields and values"),
        ("just words", "does not contain a JSON object of fields and values"),
        ("- api_key", "does not contain a JSON object of fields and values"),
        ("[1]", "does not contain a JSON object of fields and values"),
        ('{"api_key": hidden}', "is not valid JSON (Expecting value: line 1 column 13 (char 12))"),
        (
            "api_key: k\n\tsecret_key: hidden",
            "is not valid JSON or YAML (line 2); keys with special characters need quotes",
        ),
        ("api_key: %hidden", "is not valid JSON or YAML (line 1); keys with special characters need quotes"),
        ("api_key: !hidden x", "is not valid JSON or YAML (line 1); keys with special characters need quotes"),
        ("api_key: 'hidden", "is not valid JSON or YAML (line 1); keys with special characters need quotes"),
        ("odd: 2026-13-41", "is not valid JSON or YAML"),
        ("? [api_key]\n: hidden", "is not valid JSON or YAML"),
        ("[" * 100_000, "is not valid JSON (nested too deeply)"),
        ("a: " + "[" * 100_000, "is not valid JSON or YAML (nested too deeply)"),
        ("a:\n" + "- " * 101 + "1", "is not valid JSON or YAML (nested too deeply)"),
        (f'{{"a": {"[" * 101}{"]" * 101}}}', "is not valid JSON (nested too deeply)"),
        (f'{{"num_workers": {"9" * 5000}}}', "is not valid JSON (an integer of 5,000 digits)"),
    ],
)
def test_invalid_files_are_reported_by_line_without_content(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)

    assert problems_of(path) == (f"--config: {path} {problem}",)


TEXTS = [
    ("0123456", "a number"),
    ("12345678", "a number"),
    ("1_234567", "a number"),
    ("0x1f2e3", "a number"),
    ("0b1011", "a number"),
    ("12:30:45", "a number"),
    ("-5", "a number"),
    ("1.5", "a number"),
    (".inf", "a number"),
    ("6.02e+23", "a number"),
    ("2026-01-02", "a date"),
    ("2026-01-02T03:04:05Z", "a date"),
    ("2026-13-41", "a date"),
    ("yes", "true or false"),
    ("No", "true or false"),
    ("on", "true or false"),
    ("OFF", "true or false"),
    ("true", "true or false"),
    ("null", "null"),
    ("~", "null"),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
@pytest.mark.parametrize("name", ["cohort_ids", "cohort_properties", "composition_properties", "chart_ids"])
def test_a_string_that_yaml_would_change_is_rejected(tmp_path: Path, name: str, text: str, kind: str) -> None:
    path = written(tmp_path, f"{KEYS}{name}: [ab12345, {text}]\n")

    assert problems_of(path) == (f"{name}: YAML reads {text} as {kind}, not as a string; put it in quotes",)


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_a_key_that_yaml_would_change_is_rejected_and_hidden(tmp_path: Path, text: str, kind: str) -> None:
    path = written(tmp_path, f"api_key: {text}\nsecret_key: {text}\nchart_ids: [{text}]\n")

    assert problems_of(path) == tuple(
        f"{name}: YAML reads the value as {kind}, not as a string; put it in quotes"
        for name in ("api_key", "secret_key", "chart_ids")
    )


@pytest.mark.parametrize("name", ["data_region", "malformed_lines", "project_time_zone"])
def test_other_strings_that_yaml_would_change_are_rejected(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, f"{KEYS}{name}: no\n")

    assert problems_of(path) == (f"{name}: YAML reads no as true or false, not as a string; put it in quotes",)


@pytest.mark.parametrize("text", [text for text, _ in TEXTS])
def test_a_quoted_string_stays_as_written(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, f"api_key: '{text}'\nsecret_key: \"{text}\"\ncohort_ids: ['{text}']\n")

    assert read_raw_config(path) == {"api_key": text, "secret_key": text, "cohort_ids": [text]}


def test_problems_show_values_as_written(tmp_path: Path) -> None:
    path = written(tmp_path, f"{KEYS}start_date: 2026-13-41\nnum_workers: 0x4\naccepted_gaps: [2026-03-04]\n")

    with pytest.raises(InvalidConfigError) as raised:
        read_config(path)

    assert [each.partition(" is n")[0] for each in raised.value.problems] == [
        "start_date: '2026-13-41'",
        "accepted_gaps: '2026-03-04'",
        "num_workers: '0x4'",
    ]


def test_a_field_given_twice_is_rejected(tmp_path: Path) -> None:
    path = written(tmp_path, f"{KEYS}num_workers: 2\nodd: 1\nodd: 2\nnum_workers: 3\n")

    assert problems_of(path) == ("num_workers is given more than once",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", [json.dumps(FIELDS, indent=1), f"# as written by an editor\n{KEYS}"])
def test_every_common_encoding_and_line_end_is_read(tmp_path: Path, text: str, line_end: str, encoding: str) -> None:
    path = tmp_path / "config"
    path.write_bytes(text.replace("\n", line_end).encode(encoding))

    assert read_raw_config(str(path)) == FIELDS


@pytest.mark.parametrize(
    "text",
    ['// keys\n{"api_key": "hidden"}', '{"api_key": "hidden", // a comment\n//\n}', '/* keys */ {"api_key": "hidden"}'],
)
def test_json_with_comments_is_rejected_with_a_hint(tmp_path: Path, text: str) -> None:
    [problem] = problems_of(written(tmp_path, text))

    assert (problem.endswith("; JSON has no comments"), "hidden" in problem) == (True, False)


def test_a_file_that_is_not_text_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("api_key: ké".encode("latin-1"))

    assert problems_of(str(path)) == (f"--config: {path} is not UTF-8 text",)


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
def test_a_missing_or_empty_variable_is_reported(tmp_path: Path, environ: dict[str, str], problems: tuple[str]) -> None:
    assert problems_of(written(tmp_path, "api_key: ${A_KEY}\nsecret_key: ${B}"), environ) == problems


@pytest.mark.parametrize(
    "key", ["${", "${}", "$A_KEY", "${A-KEY}", "${1}", "x${A_KEY}", "${A_KEY}${A_KEY}", "$${A_KEY}"]
)
def test_a_key_that_only_looks_like_a_variable_is_unchanged(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, json.dumps({"api_key": key, "start_date": "${A_KEY}"}))

    assert read_raw_config(path, {"A_KEY": "other"}) == {"api_key": key, "start_date": "${A_KEY}"}


@pytest.mark.parametrize("key", [5, None, ["${A_KEY}"], True])
def test_a_key_that_is_not_a_string_is_reported(tmp_path: Path, key: object) -> None:
    path = written(tmp_path, json.dumps({"api_key": key, "secret_key": "s", "start_date": "2026-03-04T00:00:00Z"}))

    with pytest.raises(InvalidConfigError) as raised:
        read_config(path)

    assert [each.split(" is ")[0] for each in raised.value.problems] == ["api_key"]


def test_a_file_for_other_commands_needs_no_start_date(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, KEYS))

    assert (config.start, config.end) == (AMPLITUDE_BEGINNING, None)
