"""What the documents say is compared with the code: tables, targets, paths, error classes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from source_amplitude import errors
from source_amplitude.failures import failure_type

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = (
    "README.md",
    "docs/streams.md",
    "CONTRIBUTING.md",
    "amplitude_emulator/README.md",
    "integration_tests/README.md",
    "docs/guarantees.md",
    "docs/errors.md",
)


def table_after(heading: str) -> dict[str, list[str]]:
    """Return a table of the README by the code in its first column."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_the_configuration_table_has_the_fields_and_defaults_of_the_spec() -> None:
    spec = json.loads((PROJECT / "source_amplitude/spec.json").read_text(encoding="utf-8"))["connectionSpecification"]
    expected = {}
    for name, field in spec["properties"].items():
        shown = field.get("default")
        text = "none" if shown is None else shown if isinstance(shown, str) else json.dumps(shown)
        expected[name] = "required" if name in spec["required"] else text if shown is None else f"`{text}`"

    documented = {name: row[0] for name, row in table_after("Configuration").items()}

    assert documented == expected


def test_the_streams_table_has_what_discover_prints() -> None:
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


def test_every_runtime_dependency_has_a_line_that_says_why() -> None:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("dependencies = [", 1)[1].split("\n]", 1)[0]
    names = set(re.findall(r'^  "([a-z-]+)', block, re.MULTILINE))

    assert set(table_after("Dependencies")) == names | {"aiohttp"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document: str) -> None:
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
    """Return the tests that docs/guarantees.md names."""
    return re.findall(r"`([a-z_/]+\.py::\w+)`", (PROJECT / "docs/guarantees.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("test", guarantees())
def test_every_promise_names_a_test_that_exists(test: str) -> None:
    path, _, name = test.partition("::")

    assert re.search(rf"^(def {name}\(|{name} = )", (PROJECT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_row_of_the_guarantees_names_its_test() -> None:
    text = (PROJECT / "docs/guarantees.md").read_text(encoding="utf-8")

    rows = [line for line in text.splitlines() if line.startswith("| ") and line.count("|") == 3]
    rows = [row for row in rows if not row.startswith(("| promise", "| archive", "| 4"))]

    assert [row for row in rows if "::test" not in row and "::Test" not in row] == []


def test_the_table_of_errors_is_the_tree_of_errors() -> None:
    leaves = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and not kind.__subclasses__()}
    expected = {}
    for name, kind in leaves.items():
        if issubclass(kind, errors.AmplitudeError):
            error = kind(()) if kind is errors.InvalidConfigError else kind("what")
            retried = "yes" if isinstance(error, errors.RetryableError) else "no"
            expected[name] = [retried, failure_type(error).value, error.advice]

    text = (PROJECT / "docs/errors.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    documented = {row[0].strip("`"): [row[2], row[3].split("`")[-2], row[4]] for row in rows}

    assert documented == expected
