"""Parses the page with the standard library: elements, tables, texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_EMPTY = {"meta", "col", "br"}


@dataclass
class Element:
    """An element of a document.

    Attributes:
        tag: The element's name.
        attributes: The values of attributes, by name.
        inside: The element's texts and child elements, in order.
    """

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Element | str] = field(default_factory=list)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the descendants with this tag and these attributes, in document order."""
        return [each for each in self.descend() if each.tag == tag and attributes.items() <= each.attributes.items()]

    def text(self, *, without: str = "") -> str:
        """Return the element's text, without the text of elements with the tag ``without``."""
        return "".join(
            each if isinstance(each, str) else each.text(without=without) if each.tag != without else ""
            for each in self.inside
        ).strip()

    def descend(self) -> Iterator[Element]:
        """Yield the element's descendants, in document order."""
        for each in self.inside:
            if isinstance(each, Element):
                yield each
                yield from each.descend()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in _EMPTY:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop().tag
        assert closed == tag, f"<{closed}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def parsed(page: str) -> Element:
    """Return the document; fail if an element is not closed correctly."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    (document,) = reader.open
    return document


def rows(table: Element, *, without: str = "") -> list[list[str]]:
    """Return the texts of a table's cells by rows, without the text of elements with the tag ``without``."""
    return [[each.text(without=without) for each in row.inside if isinstance(each, Element)] for row in table.all("tr")]
