"""The words of every text that a reader meets: code, comments, tests and documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("source_amplitude", "amplitude_emulator", "unit_tests", "integration_tests", "benchmarks", "docs", ".github")
SUFFIXES = (".py", ".md", ".toml", ".yaml", ".yml", ".json", ".html", ".css")
LEFT_OUT = ("unit_tests/fixtures/", "unit_tests/golden/", "unit_tests/test_wording.py", "benchmarks/results/")

MAX_TEST_NAME_CHARS = 60

PLAINER = {
    r"nobody|no one": "no user, no process; or say what does happen",
    r"whoever|anybody|somebody": "the caller, the user, the reader",
    r"anew": "again",
    r"gone": "missing, removed, closed, deleted",
    r"told|hears?|heard": "reported, informed, printed",
    r"(became|becomes?|comes?|came) of": "the result of",
    r"(?<!there )(?<!There )(is|are|was|were) no (?!longer|more|later|earlier|less|different|other)": "is not a",
    r"(is|are|was|were) none|holds? no|of which one": "is not; does not contain",
    r"without a word|in vain|all the same|as good as|and the like|oneself": "say it literally",
    r"so many|so long ago|lest|thereof|whereupon": "N; that long ago",
    r"heals?|healed|mend|mends|mended": "fix, recover",
    r"green|red (sync|run|build)": "succeeds, fails",
    r"keeps? book|brings? along|said plainly": "records; includes; reported",
}
"""Words of a private dialect, as a regular expression between word boundaries, with what to write instead."""


def texts() -> list[str]:
    """Return the paths of the texts, relative to the root."""
    named = [path for suffix in (".md", ".toml", ".yaml", ".py") for path in ROOT.glob(f"*{suffix}")]
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    paths = sorted(str(path.relative_to(ROOT)) for path in (*named, *inside, ROOT / "Makefile") if path.is_file())
    return [path for path in paths if not path.startswith(LEFT_OUT)]


def lines_of(path: str) -> list[tuple[int, str]]:
    """Return numbered lines, without Python's None, which is not the word."""
    text = (ROOT / path).read_text(encoding="utf-8").replace("None", "")
    return list(enumerate(text.splitlines(), start=1))


@pytest.mark.parametrize("pattern", PLAINER)
def test_no_text_uses_a_word_of_the_private_dialect(pattern: str) -> None:
    word = re.compile(rf"(?<![A-Za-z])({pattern})(?![A-Za-z])", re.IGNORECASE)

    found = [
        f"{path}:{number}: {line.strip()}" for path in texts() for number, line in lines_of(path) if word.search(line)
    ]

    assert found == [], f"write instead: {PLAINER[pattern]}"


def test_the_name_of_a_test_is_short() -> None:
    names = re.compile(r"def (test_\w+)")

    too_long = [
        f"{path}:{number}: {found[1]}"
        for path in texts()
        if path.endswith(".py")
        for number, line in lines_of(path)
        if (found := names.search(line)) and len(found[1]) > MAX_TEST_NAME_CHARS
    ]

    assert too_long == []
