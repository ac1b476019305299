"""``source-amplitude config`` prints a valid configuration, with and without comments."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from source_amplitude.clock import SystemClock
from source_amplitude.config import Region, parse_config
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


def week_ago() -> str:
    return f"{SystemClock().now() - timedelta(days=7):%Y-%m-%d}T00:00:00Z"


@pytest.mark.parametrize(("typed", "region"), [("EU", Region.EU), ("us", Region.STANDARD)])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_template_has_the_chosen_region(
    typed: str, region: Region, options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "--region", typed, *options]) == 0
    (tmp_path / "config.yaml").write_text(capsys.readouterr().out)

    raw = read_raw_config(str(tmp_path / "config.yaml"), ENVIRON)

    assert raw == {
        "api_key": "a-key",
        "secret_key": "a-secret",
        "start_date": week_ago(),
        "data_region": typed.upper(),
    }
    assert parse_config(raw).region is region


def test_only_required_fields_are_not_commented_out(printed: str) -> None:
    fields = [each for each in printed.splitlines() if each and not each.startswith("#")]

    assert fields == [
        'api_key: "${AMPLITUDE_API_KEY}"',
        'secret_key: "${AMPLITUDE_SECRET_KEY}"',
        f'start_date: "{week_ago()}"',
    ]
    assert max(len(each) for each in printed.splitlines()) <= 100


def test_the_json_template_has_the_required_fields(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["config", "--json"])

    fields = json.loads(capsys.readouterr().out)
    assert (code, sorted(fields)) == (0, sorted(SCHEMA["required"]))
    assert (fields["api_key"], fields["secret_key"]) == ("${AMPLITUDE_API_KEY}", "${AMPLITUDE_SECRET_KEY}")
