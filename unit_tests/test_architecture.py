"""Rules beyond import-linter: module sizes, names and folders."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGES = ("source_amplitude", "amplitude_emulator")
FOLDERS = (*PACKAGES, "unit_tests", "integration_tests", "benchmarks")

MAX_MODULE_LINES = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "misc", "manager", "handler", "processor", "components"}
TEST_ONLY_FOLDERS = {"fixtures", "golden", "fakes", "emulator", "end_to_end", "peers", "documents"}


def modules_in(*folders: str) -> list[Path]:
    return sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def folders_in(folder: str) -> set[str]:
    return {path.name for path in (ROOT / folder).iterdir() if path.is_dir() and path.name != "__pycache__"}


def exported_names(module: Path) -> Iterator[list[str]]:
    """Yield the value of a module's ``__all__``, if any."""
    for node in ast.parse((ROOT / module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "__all__" for target in node.targets):
            yield ast.literal_eval(node.value)


def test_no_module_is_longer_than_the_cap() -> None:
    lengths = {str(path): len((ROOT / path).read_bytes().splitlines()) for path in modules_in(*FOLDERS)}

    too_long = {path: lines for path, lines in lengths.items() if lines > MAX_MODULE_LINES}

    assert too_long == {}


def test_no_module_has_a_meaningless_name() -> None:
    parts = {part for path in modules_in(*FOLDERS) for part in (*path.parent.parts, path.stem.removeprefix("test_"))}

    assert parts & FORBIDDEN_NAMES == set()


def test_unit_tests_mirror_the_package() -> None:
    unexplained = folders_in("unit_tests") - folders_in("source_amplitude") - TEST_ONLY_FOLDERS

    assert unexplained == set()


@pytest.mark.parametrize("module", modules_in(*PACKAGES), ids=str)
def test_exported_names_are_sorted_and_unique(module: Path) -> None:
    exported = list(exported_names(module))

    assert exported == [sorted(set(names)) for names in exported]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_reexporting_package_has_all(package: str) -> None:
    without_all = [
        str(path)
        for path in modules_in(package)
        if path.name == "__init__.py"
        and any(isinstance(node, ast.ImportFrom) for node in ast.parse((ROOT / path).read_text("utf-8")).body)
        and not list(exported_names(path))
    ]

    assert without_all == []
