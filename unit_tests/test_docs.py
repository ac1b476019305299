"""The documents agree with the code: tables, make targets, links, error classes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from source_amplitude.landing.coverage import Condition
from source_amplitude.landing.formats import FORMAT_NAMES
from source_amplitude.landing.manifest import manifest_from_bytes, manifest_to_bytes
from unit_tests.documents.blocks import slug

PROJECT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "amplitude_emulator/README.md",
    "benchmarks/README.md",
    *(f"integration_tests/{folder}README.md" for folder in ("", "image/", "memory/", "pyairbyte/", "upstream/")),
    *(str(path.relative_to(PROJECT)) for path in sorted((PROJECT / "docs").rglob("*.md"))),
)


def rows_in(text: str) -> dict[str, list[str]]:
    """Return the rows of a text's tables by the code in their first column."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_configuration_table_equals_the_spec() -> None:
    spec = json.loads((PROJECT / "source_amplitude/spec.json").read_text(encoding="utf-8"))["connectionSpecification"]
    expected = {}
    for name, field in spec["properties"].items():
        shown = field.get("default")
        text = "none" if shown is None else shown if isinstance(shown, str) else json.dumps(shown)
        expected[name] = "required" if name in spec["required"] else text if shown is None else f"`{text}`"

    page = (PROJECT / "docs/configuration.md").read_text(encoding="utf-8")
    documented = {name: row[0] for name, row in rows_in(page).items()}

    assert documented == expected


def test_streams_table_equals_the_catalog() -> None:
    catalog = json.loads((PROJECT / "unit_tests/golden/catalog.json").read_text(encoding="utf-8"))
    expected = {
        stream["name"]: [
            ", ".join(f"`{'.'.join(key)}`" for key in stream["source_defined_primary_key"]),
            " by ".join(
                [
                    ", ".join(mode.replace("_", " ") for mode in stream["supported_sync_modes"]),
                    *(f"`{name}`" for name in stream.get("default_cursor_field") or []),
                ]
            ),
        ]
        for stream in catalog["catalog"]["streams"]
    }

    page = (PROJECT / "docs/streams.md").read_text(encoding="utf-8").split("\n## ", 1)[0]
    documented = {name: row[:2] for name, row in rows_in(page).items()}

    assert documented == expected


def test_every_dependency_has_a_comment_with_its_reason() -> None:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    runtime = text.split("\ndependencies = [\n", 1)[1].split("\n]", 1)[0]
    optional = text.split("\n[project.optional-dependencies]\n", 1)[1].split("\n\n[", 1)[0]
    lines = [line for line in f"{runtime}\n{optional}".splitlines() if '"' in line]

    silent = [line for line in lines if not re.search(r'"\]?,? +# \S.+$', line)]

    assert len(lines) > 30
    assert silent == []


def test_manifest_example_is_valid_and_fully_explained() -> None:
    text = (PROJECT / "docs/landing.md").read_text(encoding="utf-8")
    example = text.split("```json\n", 1)[1].split("```", 1)[0]
    saved = json.loads(example)
    expected = {*saved, *(f"objects[].{name}" for name in saved["objects"][0]), "reason"} - {"objects"}

    manifest = manifest_from_bytes("_manifest/date=2026-03-04/hour=09.json", example.encode())
    table = text.split("\n| field | meaning |\n", 1)[1].split("\n\n", 1)[0]
    explained: set[str] = set()
    for line in table.splitlines()[1:]:
        first, *others = re.findall(r"`([^`]+)`", line.split("|")[1])
        folder = "objects[]." if first.startswith("objects[].") else ""
        explained |= {first, *(folder + other for other in others)}

    assert manifest_to_bytes(manifest).decode() == example
    assert explained == expected


def test_every_landing_format_and_condition_is_described() -> None:
    landing = (PROJECT / "docs/landing.md").read_text(encoding="utf-8")
    formats = re.findall(
        r"^\| `([a-z]+)` \| ", landing.split("\n## Formats\n", 1)[1].split("\n## ", 1)[0], re.MULTILINE
    )
    conditions = re.findall(r"^\| ([a-z]+) \| ", landing.split("\n## Hours\n", 1)[1].split("\n## ", 1)[0], re.MULTILINE)

    assert tuple(formats) == FORMAT_NAMES
    assert set(conditions) == {condition.value for condition in Condition}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_named_make_target_exists(document: str) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    text = (PROJECT / document).read_text(encoding="utf-8")

    named = set(re.findall(r"\bmake ([a-z][a-z-]+)\b", " ".join(re.findall(r"`[^`]+`|^make .*$", text, re.MULTILINE))))

    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def headings_of(document: Path) -> list[str]:
    """Return the anchors of a document's headings."""
    return [slug(found) for found in re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(document: str) -> None:
    path = PROJECT / document
    links = [link for link in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")) if "://" not in link]

    broken = []
    for link in links:
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in headings_of(target)):
            broken.append(link)

    assert broken == []


def guarantees() -> list[str]:
    """Return the tests named in docs/guarantees.md."""
    return re.findall(r"`([a-z_/]+\.py::\w+)`", (PROJECT / "docs/guarantees.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("test", guarantees())
def test_every_promise_names_an_existing_test(test: str) -> None:
    path, _, name = test.partition("::")

    assert re.search(rf"^(def {name}\(|{name} = )", (PROJECT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_guarantee_names_its_test() -> None:
    text = (PROJECT / "docs/guarantees.md").read_text(encoding="utf-8")

    rows = [line for line in text.splitlines() if line.startswith("| ") and line.count("|") == 3]
    rows = [row for row in rows if not row.startswith(("| promise", "| archive", "| 4"))]

    assert [row for row in rows if "::test" not in row and "::Test" not in row] == []
