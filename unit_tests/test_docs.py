"""Compare the documents with the code: tables, make targets, paths, error classes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from source_amplitude import errors
from source_amplitude.airbyte.failures import failure_type
from source_amplitude.landing.coverage import Condition
from source_amplitude.landing.formats import FORMAT_NAMES
from source_amplitude.landing.manifest import manifest_from_bytes, manifest_to_bytes

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "amplitude_emulator/README.md",
    "benchmarks/README.md",
    "integration_tests/README.md",
    *(str(path.relative_to(PROJECT)) for path in sorted((PROJECT / "docs").rglob("*.md"))),
)


def table_after(heading: str) -> dict[str, list[str]]:
    """Return a table of the README, keyed by the code in the first column."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_the_configuration_table_equals_the_spec() -> None:
    spec = json.loads((PROJECT / "source_amplitude/spec.json").read_text(encoding="utf-8"))["connectionSpecification"]
    expected = {}
    for name, field in spec["properties"].items():
        shown = field.get("default")
        text = "none" if shown is None else shown if isinstance(shown, str) else json.dumps(shown)
        expected[name] = "required" if name in spec["required"] else text if shown is None else f"`{text}`"

    documented = {name: row[0] for name, row in table_after("Configuration").items()}

    assert documented == expected


def test_the_streams_table_equals_the_catalog() -> None:
    catalog = json.loads((PROJECT / "unit_tests/golden/catalog.json").read_text(encoding="utf-8"))
    expected = {
        stream["name"]: [
            ", ".join(f"`{'.'.join(key)}`" for key in stream["source_defined_primary_key"]),
            ", ".join(f"`{name}`" for name in stream.get("default_cursor_field") or []),
            ", ".join(mode.replace("_", " ") for mode in stream["supported_sync_modes"]),
        ]
        for stream in catalog["catalog"]["streams"]
    }

    documented = {name: row[:3] for name, row in table_after("Streams").items()}

    assert documented == expected


def required(text: str) -> set[str]:
    """Return the package names in a requirements list of pyproject.toml."""
    return set(re.findall(r'"([a-z-]+)', re.sub(r"#.*", "", text)))


def test_the_dependency_table_is_complete() -> None:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    runtime = text.split("\ndependencies = [", 1)[1].split("\n]", 1)[0]
    optional = text.split("\n[project.optional-dependencies]\n", 1)[1].split("\n[", 1)[0]
    extras = re.findall(r"^([a-z]+) = \[(.*?)\](?: *#[^\n]*)?$", optional, re.DOTALL | re.MULTILINE)
    expected = dict.fromkeys(required(runtime), "")
    for extra, requirements in extras:
        expected |= {name: extra for name in required(requirements) - set(expected) if extra != "dev"}

    documented = {}
    for name, row in table_after("Dependencies").items():
        named = re.search(r"\(extra `([a-z]+)`\)$", row[0])
        documented[name] = named[1] if named else ""

    assert documented == expected


def test_the_documented_manifest_is_valid_and_complete() -> None:
    text = (PROJECT / "docs/landing.md").read_text(encoding="utf-8")
    example = text.split("```json\n", 1)[1].split("```", 1)[0]
    saved = json.loads(example)
    expected = {*saved, *(f"objects[].{name}" for name in saved["objects"][0]), "reason"} - {"objects"}

    manifest = manifest_from_bytes("_manifest/date=2026-03-04/hour=09.json", example.encode())
    table = text.split("\n| field | is |\n", 1)[1].split("\n\n", 1)[0]
    explained: set[str] = set()
    for line in table.splitlines()[1:]:
        first, *others = re.findall(r"`([^`]+)`", line.split("|")[1])
        folder = "objects[]." if first.startswith("objects[].") else ""
        explained |= {first, *(folder + other for other in others)}

    assert manifest_to_bytes(manifest).decode() == example
    assert explained == expected


def test_every_landing_format_and_condition_is_documented() -> None:
    landing = (PROJECT / "docs/landing.md").read_text(encoding="utf-8")
    formats = re.findall(
        r"^\| `([a-z]+)` \| ", landing.split("\n## Formats\n", 1)[1].split("\n## ", 1)[0], re.MULTILINE
    )
    conditions = re.findall(r"^\| ([a-z]+) \| ", landing.split("\n## Hours\n", 1)[1].split("\n## ", 1)[0], re.MULTILINE)
    section = README.split("\n## Land raw hours in your own storage\n", 1)[1].split("\n## ", 1)[0]

    assert tuple(formats) == FORMAT_NAMES
    assert tuple(re.findall(r"^\| `([a-z]+)` \| ", section, re.MULTILINE)) == FORMAT_NAMES
    assert set(conditions) == {condition.value for condition in Condition}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_named_make_target_exists(document: str) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    text = (PROJECT / document).read_text(encoding="utf-8")

    named = set(re.findall(r"\bmake ([a-z][a-z-]+)\b", " ".join(re.findall(r"`[^`]+`|^make .*$", text, re.MULTILINE))))

    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_linked_path_exists(document: str) -> None:
    text = (PROJECT / document).read_text(encoding="utf-8")
    folder = (PROJECT / document).parent

    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]

    assert [link for link in links if link and not (folder / link).exists()] == []


def guarantees() -> list[str]:
    """Return the tests named in docs/guarantees.md."""
    return re.findall(r"`([a-z_/]+\.py::\w+)`", (PROJECT / "docs/guarantees.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("test", guarantees())
def test_every_test_of_a_guarantee_exists(test: str) -> None:
    path, _, name = test.partition("::")

    assert re.search(rf"^(def {name}\(|{name} = )", (PROJECT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_guarantee_names_a_test() -> None:
    text = (PROJECT / "docs/guarantees.md").read_text(encoding="utf-8")

    rows = [line for line in text.splitlines() if line.startswith("| ") and line.count("|") == 3]
    rows = [row for row in rows if not row.startswith(("| promise", "| archive", "| 4"))]

    assert [row for row in rows if "::test" not in row and "::Test" not in row] == []


def test_the_table_of_errors_has_every_error() -> None:
    never_raised = (errors.AmplitudeError, errors.ConfigError, errors.RetryableError)
    expected = {}
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.AmplitudeError) and kind not in never_raised:
            error = kind(()) if kind is errors.InvalidConfigError else kind("what")
            retried = "yes" if isinstance(error, errors.RetryableError) else "no"
            expected[name] = [retried, failure_type(error).value, error.advice]

    text = (PROJECT / "docs/errors.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    documented = {row[0].strip("`"): [row[2], row[3].split("`")[-2], row[4]] for row in rows}

    assert documented == expected
