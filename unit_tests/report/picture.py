"""Draws docs/report.png again: ``python -m unit_tests.report.picture``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from source_amplitude.report.html_page import page
from unit_tests.peers.browser import browsing
from unit_tests.report.coverages import COMMAND, MADE_AT, TITLE, a_month
from unit_tests.report.png import rgb, with_palette

PICTURE = Path(__file__).parents[2] / "docs" / "report.png"


def main() -> None:
    """Draw the page of the tests' sample month, down to the end of its table."""
    with tempfile.TemporaryDirectory() as folder, browsing(Path(folder)) as browser:
        browser.show(page(a_month(), title=TITLE, made_at=MADE_AT, command=COMMAND), width=1200, height=900)
        end = browser.evaluate("document.querySelector('.hours').getBoundingClientRect().bottom")
        PICTURE.write_bytes(with_palette(rgb(browser.picture((0, 0, 1200, round(end) + 16)))))


if __name__ == "__main__":
    main()
