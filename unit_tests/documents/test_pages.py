"""Pages of docs/ in common: valid code blocks, accepted configurations, current versions and defaults."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from source_amplitude.config import parse_config
from unit_tests.documents.blocks import PAGES, PROJECT, blocks, page, rows, section

if TYPE_CHECKING:
    from pathlib import Path

SPEC = json.loads((PROJECT / "source_amplitude" / "spec.json").read_text(encoding="utf-8"))["connectionSpecification"]
CATALOG = json.loads((PROJECT / "unit_tests" / "golden" / "catalog.json").read_text(encoding="utf-8"))["catalog"]
METADATA = yaml.safe_load((PROJECT / "metadata.yaml").read_text(encoding="utf-8"))["data"]

PROGRAMS = {
    "abctl": {"local"},
    "docker": {"build", "push", "run"},
    "kind": {"load"},
}
"""Programs that are not on every machine, with the subcommands that the pages use."""


def accept(config: dict[str, Any]) -> None:
    jsonschema.validate(config, SPEC)
    assert set(config) <= set(SPEC["properties"])
    parse_config(config)


@pytest.mark.parametrize("name", PAGES)
def test_shell_blocks_are_valid_and_start_known_programs(name: str) -> None:
    for block in blocks(page(name), "sh"):
        parsed = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
        assert (parsed.returncode, parsed.stderr) == (0, ""), block.text
        lines = re.findall(r"^(?:abctl|docker|kind) .*", block.text.replace("\\\n", " "), re.MULTILINE)
        for words in map(shlex.split, lines):
            assert words[1] in PROGRAMS[words[0]]


@pytest.mark.parametrize("name", PAGES)
def test_json_blocks_are_valid_and_configurations_accepted(name: str) -> None:
    values = [json.loads(block.text) for block in blocks(page(name), "json")]

    for value in values:
        if isinstance(value, dict) and "api_key" in value:
            accept(value)


@pytest.mark.parametrize("name", PAGES)
def test_fields_named_with_a_default_have_it(name: str) -> None:
    defaults = {field: SPEC["properties"][field].get("default") for field in SPEC["properties"]}

    named = re.findall(r"`(\w+)`,? \((\d+)(?: hours)?\)|`(\w+)`, (\d+)\)", page(name))

    found = {(pair[0] or pair[2]): int(pair[1] or pair[3]) for pair in named}
    found = {field: default for field, default in found.items() if field != "airbyte"}  # a user and its number
    assert {field: defaults[field] for field in found} == found


def test_connector_page_has_the_headings_of_airbytes_pages() -> None:
    headings = re.findall(r"^## (.+)$", page("connector.md"), re.MULTILINE)

    assert headings == [
        "Prerequisites",
        "Setup guide",
        "Supported sync modes",
        "Supported streams",
        "Limitations",
        "Performance considerations",
        "Troubleshooting",
        "Changelog",
    ]


def test_connector_page_names_every_stream_once() -> None:
    text = section(page("connector.md"), "Supported streams").split("\n### ")[0]

    named = [name for row in rows(text)[1:] for name in re.findall(r"`(\w+)`", row[1])]

    assert sorted(named) == sorted(stream["name"] for stream in CATALOG["streams"])
    assert text.lstrip().startswith(f"{len(named)} streams;")


def test_connector_page_names_every_allowed_host() -> None:
    prerequisites = section(page("connector.md"), "Prerequisites")

    hosts = re.findall(r"`((?:\*|[a-z-]+)(?:\.[a-z-]+)+)`", prerequisites)

    assert sorted(hosts) == sorted(METADATA["allowedHosts"]["hosts"])


def test_connector_page_has_the_versions_of_the_changelog() -> None:
    expected = re.findall(
        r"^## \[([\d.]+)\] - (\S+)$", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    documented = [(row[0], row[1]) for row in rows(section(page("connector.md"), "Changelog"))[1:]]

    assert documented == expected


@pytest.mark.parametrize("name", ["docker.md", "airbyte-oss.md"])
def test_image_commands_exist_and_their_files_are_mounted(name: str) -> None:
    text = "".join(block.text for block in blocks(page(name), "sh")).replace("\\\n", " ")
    runs = [line.split(" > ")[0] for line in re.findall(r"^docker run .*", text, re.MULTILINE)]

    for words in map(shlex.split, runs):
        command, *arguments = words[words.index("source-amplitude:dev") + 1 :]
        files = arguments[1::2]
        assert command in {"spec", "check", "discover", "read"}
        assert set(arguments[::2]) <= {"--config", "--catalog", "--state"}
        assert all(file.startswith("/secrets/") for file in files)
        assert not files or any(word.endswith(":/secrets:ro") for word in words)


def test_images_for_airbyte_have_this_version() -> None:
    tags = re.findall(r"source-amplitude:(\d[\w.]*)", page("airbyte-oss.md"))

    assert set(tags) == {METADATA["dockerImageTag"]}


def hcl() -> str:
    (block,) = blocks(page("terraform.md"), "hcl")
    return block.text


def test_terraform_configuration_is_accepted() -> None:
    inner = re.search(r"jsonencode\(\{\n(.*?)\n  \}\)", hcl(), re.DOTALL)
    assert inner
    pairs = [line.split("=", 1) for line in inner[1].splitlines()]

    config = {name.strip(): json.loads(re.sub(r"var\.(\w+)", r'"\1"', value)) for name, value in pairs}

    accept(config)
    assert {"api_key", "secret_key", "start_date"} <= set(config)


def test_terraform_declares_its_variables_and_this_version() -> None:
    declared = re.findall(r'^variable "(\w+)"', hcl(), re.MULTILINE)

    assert sorted(declared) == sorted(set(re.findall(r"\bvar\.(\w+)", hcl())))
    assert f'docker_image_tag  = "{METADATA["dockerImageTag"]}"' in hcl()


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_accepts_the_format(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(hcl(), encoding="utf-8")

    ran = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(tmp_path / "main.tf")],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
