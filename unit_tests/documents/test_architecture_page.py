"""docs/architecture.md and docs/development.md agree with the import contract, the imports and the files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration

PROJECT = Path(__file__).parents[2]
PACKAGE = "source_amplitude"
PAGE = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
DEVELOPMENT = (PROJECT / "docs" / "development.md").read_text(encoding="utf-8")
(PICTURE,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
PARTS = re.findall(r"^  (\w+)\[", PICTURE, re.MULTILINE)
ARROWS = [
    (above, below)
    for above, others in re.findall(r"^  (\w+) --> (.+)$", PICTURE, re.MULTILINE)
    for below in others.split(" & ")
]


@cache
def layers() -> list[list[str]]:
    """Return the layers of the import contract, highest first."""
    contracts = read_configuration(str(PROJECT / "pyproject.toml"))["contracts_options"]
    (contract,) = (each for each in contracts if each["type"] == "layers")
    return [layer.split(" | ") for layer in contract["layers"]]


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, cache_dir=None)


def level(part: str) -> int:
    return next(number for number, layer in enumerate(layers()) if part in layer)


def named_paths(text: str) -> list[str]:
    """Return the paths in backticks: folders, and files by their suffix."""
    return [each for each in re.findall(r"`([^`\n]+)`", text) if re.fullmatch(r"[\w./-]+(/|\.(py|json|md|toml))", each)]


def test_picture_has_each_part_of_the_contract_once() -> None:
    contract = [part for layer in layers() for part in layer]

    undrawn, unknown = sorted(set(contract) - set(PARTS)), sorted(set(PARTS) - set(contract))
    assert (undrawn, unknown) == ([], []), f"not in the picture: {undrawn}; not in pyproject.toml: {unknown}"
    assert len(PARTS) == len(set(PARTS))


def test_every_line_of_the_picture_is_a_part_or_arrows() -> None:
    lines = [line for line in PICTURE.splitlines()[1:] if line]

    parts_or_arrows = r'  \w+\["<b>\w+</b><br>[^"]+"\]|  \w+ --> \w+(?: & \w+)*'
    assert [line for line in lines if not re.fullmatch(parts_or_arrows, line)] == []


def test_every_part_has_an_arrow() -> None:
    assert set(PARTS) - {part for arrow in ARROWS for part in arrow} == set()


@pytest.mark.parametrize(("above", "below"), ARROWS)
def test_arrow_points_downwards_and_is_a_direct_import(above: str, below: str) -> None:
    unknown = {above, below} - {part for layer in layers() for part in layer}
    assert unknown == set(), f"{above} --> {below}: {unknown} is not in pyproject.toml"
    assert level(above) < level(below), f"{above} --> {below} points upwards"
    assert imports().direct_import_exists(
        importer=f"{PACKAGE}.{above}", imported=f"{PACKAGE}.{below}", as_packages=True
    ), f"no module of {above} imports one of {below}"


def test_the_walk_through_an_hour_has_ten_lines() -> None:
    walk = PAGE.split("## An hour, from argv to stdout\n", 1)[1].split("\n## ", 1)[0]

    assert re.findall(r"^(\d+)\. \S.*$", walk, re.MULTILINE) == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize(("page", "at_least"), [(PAGE, 25), (DEVELOPMENT, 30)], ids=["architecture", "development"])
def test_every_named_file_exists(page: str, at_least: int) -> None:
    paths = named_paths(page)

    assert len(paths) > at_least
    missing = [path for path in paths if not any((root / path).exists() for root in (PROJECT / PACKAGE, PROJECT))]
    assert missing == []


@pytest.mark.parametrize("change", ["a stream", "a configuration field", "a landing format", "an error"])
def test_the_table_of_changes_names_files(change: str) -> None:
    (cells,) = re.findall(rf"^\| {change} \|(.+)\|$", DEVELOPMENT, re.MULTILINE)

    assert [len(named_paths(cell)) > 0 for cell in cells.split("|")] == [True, True]
