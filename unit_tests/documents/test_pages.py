"""Rules for all of these pages: valid links, valid code, current names and versions."""

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
from unit_tests.documents.blocks import DOCS, PAGES, PROJECT, blocks, page, rows, section, slug

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
"""Programs that may not be installed; only their subcommands are checked."""


def accept(config: dict[str, Any]) -> None:
    jsonschema.validate(config, SPEC)
    assert set(config) <= set(SPEC["properties"])
    parse_config(config)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_has_a_target(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page(name)) if not link.startswith("http")]
    broken = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = (DOCS / path) if path else DOCS / name
        headings = (
            re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE) if target.is_file() else []
        )
        if not target.exists() or (anchor and anchor not in map(slug, headings)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("name", PAGES)
def test_every_named_make_target_exists(name: str) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")

    named = set(re.findall(r"`make ([a-z-]+)", page(name)))

    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_shell_block_is_valid(name: str) -> None:
    for block in blocks(page(name), "sh"):
        parsed = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
        assert (parsed.returncode, parsed.stderr) == (0, ""), block.text
        lines = re.findall(r"^(?:abctl|docker|kind) .*", block.text.replace("\\\n", " "), re.MULTILINE)
        for words in map(shlex.split, lines):
            assert words[1] in PROGRAMS[words[0]]


@pytest.mark.parametrize("name", PAGES)
def test_every_json_block_is_valid(name: str) -> None:
    values = [json.loads(block.text) for block in blocks(page(name), "json")]

    for value in values:
        if isinstance(value, dict) and "api_key" in value:
            accept(value)


@pytest.mark.parametrize("name", PAGES)
def test_every_documented_default_is_right(name: str) -> None:
    defaults = {field: SPEC["properties"][field].get("default") for field in SPEC["properties"]}

    named = re.findall(r"`(\w+)`,? \((\d+)(?: hours)?\)|`(\w+)`, (\d+)\)", page(name))

    found = {(pair[0] or pair[2]): int(pair[1] or pair[3]) for pair in named}
    found = {field: default for field, default in found.items() if field != "airbyte"}  # the user name and its uid
    assert {field: defaults[field] for field in found} == found


def test_the_connector_page_has_airbytes_headings() -> None:
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


def test_the_connector_page_names_every_stream_once() -> None:
    text = section(page("connector.md"), "Supported streams").split("\n### ")[0]

    named = [name for row in rows(text)[1:] for name in re.findall(r"`(\w+)`", row[1])]

    assert sorted(named) == sorted(stream["name"] for stream in CATALOG["streams"])
    assert text.lstrip().startswith(f"{len(named)} streams;")


def test_the_connector_page_names_every_allowed_host() -> None:
    prerequisites = section(page("connector.md"), "Prerequisites")

    hosts = re.findall(r"`((?:\*|[a-z-]+)(?:\.[a-z-]+)+)`", prerequisites)

    assert sorted(hosts) == sorted(METADATA["allowedHosts"]["hosts"])


def test_the_connector_page_has_every_version() -> None:
    expected = re.findall(
        r"^## \[([\d.]+)\] - (\S+)$", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    documented = [(row[0], row[1]) for row in rows(section(page("connector.md"), "Changelog"))[1:]]

    assert documented == expected


@pytest.mark.parametrize("name", ["docker.md", "airbyte-oss.md"])
def test_docker_commands_use_mounted_files(name: str) -> None:
    text = "".join(block.text for block in blocks(page(name), "sh")).replace("\\\n", " ")
    runs = [line.split(" > ")[0] for line in re.findall(r"^docker run .*", text, re.MULTILINE)]

    for words in map(shlex.split, runs):
        command, *arguments = words[words.index("source-amplitude:dev") + 1 :]
        files = arguments[1::2]
        assert command in {"spec", "check", "discover", "read"}
        assert set(arguments[::2]) <= {"--config", "--catalog", "--state"}
        assert all(file.startswith("/secrets/") for file in files)
        assert not files or any(word.endswith(":/secrets:ro") for word in words)


def test_image_tags_have_this_version() -> None:
    tags = re.findall(r"source-amplitude:(\d[\w.]*)", page("airbyte-oss.md"))

    assert set(tags) == {METADATA["dockerImageTag"]}


def hcl() -> str:
    (block,) = blocks(page("terraform.md"), "hcl")
    return block.text


def test_the_terraform_configuration_is_accepted() -> None:
    inner = re.search(r"jsonencode\(\{\n(.*?)\n  \}\)", hcl(), re.DOTALL)
    assert inner
    pairs = [line.split("=", 1) for line in inner[1].splitlines()]

    config = {name.strip(): json.loads(re.sub(r"var\.(\w+)", r'"\1"', value)) for name, value in pairs}

    accept(config)
    assert {"api_key", "secret_key", "start_date"} <= set(config)


def test_terraform_variables_and_version_are_right() -> None:
    declared = re.findall(r'^variable "(\w+)"', hcl(), re.MULTILINE)

    assert sorted(declared) == sorted(set(re.findall(r"\bvar\.(\w+)", hcl())))
    assert f'docker_image_tag  = "{METADATA["dockerImageTag"]}"' in hcl()


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_fmt_accepts_the_file(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(hcl(), encoding="utf-8")

    ran = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(tmp_path / "main.tf")],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
