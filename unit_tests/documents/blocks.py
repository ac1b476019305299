"""The parts of a document that a test can run or compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = (
    "airbyte-oss.md",
    "command-line.md",
    "configuration.md",
    "connector.md",
    "docker.md",
    "migrating-from-airbyte.md",
    "terraform.md",
)

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    kind: str
    text: str


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str, *kinds: str) -> list[Block]:
    """Return the fenced blocks of these languages in their order; all blocks if no language is given."""
    found = [Block(kind, content) for kind, content in _FENCE.findall(text)]
    return [block for block in found if not kinds or block.kind in kinds]


def section(text: str, title: str) -> str:
    """Return the text below a heading, up to the next heading of its level or above."""
    match = re.search(rf"^(#+) {re.escape(title)}\n", text, re.MULTILINE)
    assert match, title
    rest = text[match.end() :]
    return re.split(rf"^#{{1,{len(match[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of each table row that begins with a pipe and a space."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def slug(heading: str) -> str:
    """Return a heading's anchor, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return kept.replace(" ", "-")
