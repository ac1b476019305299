"""Parts of a document that tests run or compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = ("connector.md", "migrating-from-airbyte.md", "docker.md", "terraform.md", "airbyte-oss.md")

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block with its language."""

    kind: str
    text: str


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str, *kinds: str) -> list[Block]:
    """Return the fenced blocks in these languages, in order; without languages, all blocks."""
    found = [Block(kind, content) for kind, content in _FENCE.findall(text)]
    return [block for block in found if not kinds or block.kind in kinds]


def section(text: str, title: str) -> str:
    """Return the text below a heading, up to the next heading of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(title)}\n", text, re.MULTILINE)
    assert match, title
    rest = text[match.end() :]
    return re.split(rf"^#{{1,{len(match[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all table rows."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def slug(heading: str) -> str:
    """Return a heading's anchor on GitHub."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return kept.replace(" ", "-")
