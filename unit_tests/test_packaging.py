from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from airbyte_cdk.models.connector_metadata import ConnectorLanguage, MetadataFile
from packaging.requirements import Requirement

from source_amplitude.distribution import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
METADATA_SCHEMA = ROOT / "unit_tests/fixtures/airbyte_connector_models/ConnectorMetadataDefinitionV0.json"
VERSION = metadata.version(DISTRIBUTION)
PACKAGES = ("source_amplitude", "amplitude_emulator")
SUFFIXES = {".css", ".py", ".json", ".md", ".typed"}


def connector_metadata() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "metadata.yaml").read_text())
    return loaded


def dockerfile_values(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction} (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def without_inner_ids(schema: object) -> object:
    """Return a schema without ``$id``; the ids of the bundled files break references."""
    if isinstance(schema, dict):
        return {key: without_inner_ids(value) for key, value in schema.items() if key != "$id"}
    return [without_inner_ids(value) for value in schema] if isinstance(schema, list) else schema


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Build the wheel with the project's build backend, offline."""
    folder = tmp_path_factory.mktemp("wheel")
    program = f"from poetry.core.masonry.api import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    with zipfile.ZipFile(folder / built.stdout.strip()) as archive:
        yield archive


def test_the_wheel_contains_exactly_both_packages(wheel: zipfile.ZipFile) -> None:
    files = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in SUFFIXES
    }
    names = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    dist_info = {f"source_amplitude_ledger-{VERSION}.dist-info/{name}" for name in names}

    assert set(wheel.namelist()) == files | dist_info
    assert {f"source_amplitude/{name}" for name in ("spec.json", "schemas/events.json", "report/page.css")} <= files


def test_light_requirements_equal_pyproject_without_the_cdk() -> None:
    stated = metadata.requires(DISTRIBUTION) or []
    needed = [Requirement(each) for each in stated if "extra ==" not in each or re.search(r"extra == .land.", each)]
    expected = {(each.name, str(each.specifier)) for each in needed if each.name != "airbyte-cdk"}

    lines = (ROOT / "requirements-land.txt").read_text(encoding="utf-8").splitlines()
    listed = [Requirement(line) for line in lines if not line.startswith("#")]

    assert {(each.name, str(each.specifier)) for each in listed} == expected
    assert len(listed) == len(expected)


def test_the_wheel_has_one_console_script(wheel: zipfile.ZipFile) -> None:
    entry_points = configparser.ConfigParser()

    entry_points.read_string(wheel.read(f"source_amplitude_ledger-{VERSION}.dist-info/entry_points.txt").decode())

    assert {section: dict(entry_points[section]) for section in entry_points.sections()} == {
        "console_scripts": {"source-amplitude": "source_amplitude.run:run"}
    }


def test_metadata_is_valid_for_airbytes_registry() -> None:
    schema = without_inner_ids(json.loads(METADATA_SCHEMA.read_text()))
    assert isinstance(schema, dict)
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())

    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(connector_metadata())]

    assert problems == []


def test_metadata_with_a_misspelt_key_is_not_valid() -> None:
    schema = without_inner_ids(json.loads(METADATA_SCHEMA.read_text()))
    assert isinstance(schema, dict)
    loaded = connector_metadata()
    loaded["data"]["releases"]["breakingChanges"]["1.0.0"]["upgradeDate"] = "2027-06-30"

    problems = [error.json_path for error in jsonschema.Draft7Validator(schema).iter_errors(loaded)]

    assert problems == ["$.data.releases.breakingChanges['1.0.0']"]


def test_the_cdk_parses_the_metadata() -> None:
    data = MetadataFile.from_file(ROOT / "metadata.yaml").data

    assert (data.language, data.dockerRepository, data.dockerImageTag) == (
        ConnectorLanguage.PYTHON,
        "airbyte/source-amplitude",
        VERSION,
    )


def test_a_major_version_has_a_breaking_change_entry() -> None:
    releases = connector_metadata()["data"]["releases"]

    assert not VERSION.endswith(".0.0") or VERSION in releases["breakingChanges"]


def test_suggested_streams_exist() -> None:
    catalog = json.loads((ROOT / "unit_tests/golden/catalog.json").read_text())["catalog"]

    suggested = connector_metadata()["data"]["suggestedStreams"]["streams"]

    assert set(suggested) <= {stream["name"] for stream in catalog["streams"]}


def test_the_newest_changelog_entry_has_this_version() -> None:
    versions = re.findall(r"^## \[?([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert versions[0] == VERSION


def test_the_image_runs_the_console_script_as_airbyte_user() -> None:
    base = connector_metadata()["data"]["connectorBuildOptions"]["baseImage"]
    script = "/usr/local/bin/source-amplitude"  # Airbyte's docker interface requires an absolute path

    assert dockerfile_values("ARG") == [f"BASE_IMAGE={base}"]
    assert dockerfile_values("ENTRYPOINT") == [json.dumps([script])]
    assert dockerfile_values("ENV") == [f'AIRBYTE_ENTRYPOINT="{script}"']
    assert dockerfile_values("USER") == ["airbyte"]


def test_the_build_context_contains_only_copied_files() -> None:
    copied = {name for line in dockerfile_values("COPY") for name in line.split()[:-1]}

    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ignored[0] == "*"
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied


def test_the_icon_is_a_square_svg_without_links() -> None:
    icon = ET.parse(ROOT / "icon.svg").getroot()  # noqa: S314 - our own file

    links = [name for element in icon.iter() for name in element.attrib if "href" in name]
    assert (icon.tag, icon.get("viewBox"), links) == ("{http://www.w3.org/2000/svg}svg", "0 0 250 250", [])
