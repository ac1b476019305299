"""``source-amplitude config`` prints a valid configuration, with and without comments."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from source_amplitude.config.file import read_config, read_raw_config
from source_amplitude.run import run

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads(resources.files("source_amplitude").joinpath("spec.json").read_text())["connectionSpecification"]
ENVIRON = {"AMPLITUDE_API_KEY": "a-key", "AMPLITUDE_SECRET_KEY": "a-secret"}


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["config"]) == 0
    return capsys.readouterr().out


def test_the_template_is_valid_with_keys_in_the_environment(
    printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text(printed)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)

    config = read_config(str(tmp_path / "config.yaml"))

    assert (config.keys.api_key, config.keys.secret_key) == ("a-key", "a-secret")


def test_every_uncommented_field_is_read(printed: str, tmp_path: Path) -> None:
    text = re.sub(r"^# (\w+: .*)$", uncommented, printed, flags=re.MULTILINE)
    (tmp_path / "config.yaml").write_text(text)

    raw = read_raw_config(str(tmp_path / "config.yaml"), ENVIRON)
    (tmp_path / "config.json").write_text(json.dumps(raw))
    config = read_config(str(tmp_path / "config.json"))

    assert sorted(raw) == sorted(SCHEMA["properties"])
    defaults = {name: field["default"] for name, field in SCHEMA["properties"].items() if "default" in field}
    assert {name: raw[name] for name in defaults} == defaults
    assert config.end is not None


def uncommented(match: re.Match[str]) -> str:
    """Return a field without its #; leave text unchanged."""
    return match[1] if match[1].split(":")[0] in SCHEMA["properties"] else match[0]


def test_only_required_fields_are_not_commented_out(printed: str) -> None:
    fields = [each for each in printed.splitlines() if each and not each.startswith("#")]

    assert fields == [
        'api_key: "${AMPLITUDE_API_KEY}"',
        'secret_key: "${AMPLITUDE_SECRET_KEY}"',
        'start_date: "2021-01-25T00:00:00Z"',
    ]
    assert max(len(each) for each in printed.splitlines()) <= 100


def test_the_json_template_has_the_required_fields(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["config", "--json"])

    fields = json.loads(capsys.readouterr().out)
    assert (code, sorted(fields)) == (0, sorted(SCHEMA["required"]))
    assert (fields["api_key"], fields["secret_key"]) == ("${AMPLITUDE_API_KEY}", "${AMPLITUDE_SECRET_KEY}")
