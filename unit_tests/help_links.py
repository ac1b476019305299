"""The link to docs/errors.md at the end of a message, apart from the text before it."""

from __future__ import annotations

import re

LINK = re.compile(r" Details: docs/errors\.md#[a-z-]+$")


def without_help_link(message: str) -> str:
    """Return a message without its link; the message must have one."""
    assert LINK.search(message), message
    return LINK.sub("", message)
