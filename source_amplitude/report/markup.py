"""Texts and bars in HTML. What others have chosen, such as the names of event types, comes through here."""

from __future__ import annotations

import html
import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def text(value: str) -> str:
    """Return ``value`` for an element or a quoted attribute; what no page may contain becomes U+FFFD."""
    return html.escape(_UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value))


def isolated(value: str) -> str:
    """Return ``value`` in an element of its own that keeps its direction marks from what is around it."""
    return f"<bdi>{text(value)}</bdi>"


def shortened(value: str, characters: int) -> str:
    """Return at most so many characters of ``value``, the last one a mark where it has more."""
    return value if len(value) <= characters else f"{value[: characters - 1]}…"


def bar(part: int, whole: int) -> str:
    """Return a bar as long as ``part`` of ``whole``; it is not read out, so its number has to stand beside it."""
    filled = f'<b style="width:{100 * part / whole:.1f}%"></b>' if part > 0 else ""
    return f'<span class="bar" aria-hidden="true">{filled}</span>'
