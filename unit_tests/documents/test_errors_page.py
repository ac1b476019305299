"""docs/errors.md beside the classes of errors.py."""

from __future__ import annotations

import re

import pytest

from source_amplitude import errors
from source_amplitude.airbyte.failures import failure_type
from unit_tests.documents.blocks import PROJECT, slug

PAGE = (PROJECT / errors.HELP_BASE).read_text(encoding="utf-8")
BASES = (errors.AmplitudeError, errors.ConfigError, errors.RetryableError)
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.AmplitudeError) and kind not in BASES
]
ENTRY = re.compile(r"^- `(\w+)`, (retried|not retried), `(\w+)`\n- (.+)$", re.MULTILINE)


def section_of(kind: type[errors.AmplitudeError]) -> str:
    """Return the section that the error's anchor leads to."""
    sections = {slug(part.partition("\n")[0]): part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}
    return sections[kind.help_anchor]


@pytest.mark.parametrize("kind", KINDS)
def test_anchor_leads_to_the_entry_of_the_error(kind: type[errors.AmplitudeError]) -> None:
    error = kind(()) if kind is errors.InvalidConfigError else kind("what")
    retried = "retried" if isinstance(error, errors.RetryableError) else "not retried"

    entries = {name: facts for name, *facts in ENTRY.findall(section_of(kind))}

    assert entries[kind.__name__] == [retried, failure_type(error), error.advice]


def test_page_has_one_entry_for_each_error() -> None:
    assert sorted(name for name, *_ in ENTRY.findall(PAGE)) == sorted(kind.__name__ for kind in KINDS)


def test_message_ends_with_the_anchor() -> None:
    error = errors.RateLimitedError("Rate limit reached.")

    assert error.message == f"{error} Details: docs/errors.md#rate-limit-reached"
