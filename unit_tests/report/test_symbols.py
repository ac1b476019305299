from __future__ import annotations

import pytest

from source_amplitude.landing.coverage import Condition
from source_amplitude.report.symbols import LEVELS, SYMBOLS, level, short_count, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.0k"),
        (1_249, "1.2k"),
        (9_949, "9.9k"),
        (9_950, "10k"),
        (99_499, "99k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (61_375_000, "61M"),
        (7_000_000_000, "7.0G"),
        (12_000_000_000_000, "12T"),
    ],
)
def test_short_count_has_at_most_four_characters(count: int, text: str) -> None:
    assert short_count(count) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_500, "1.5 kB"), (2_400_000_000, "2.4 GB")],
)
def test_size_uses_decimal_units(number: int, text: str) -> None:
    assert size(number) == text


def test_levels_separate_small_and_large_hours() -> None:
    levels = [level(events, 8_000_000) for events in (0, 1, 8_000, 1_000_000, 4_000_000, 8_000_000)]

    assert levels == [0, 1, 1, 5, 7, LEVELS]


def test_every_condition_has_a_unique_symbol() -> None:
    assert set(SYMBOLS) == set(Condition)
    assert len({symbol.unicode for symbol in SYMBOLS.values()}) == len(SYMBOLS)
    assert len({symbol.ascii for symbol in SYMBOLS.values()}) == len(SYMBOLS)
    assert all(symbol.ascii.isascii() and len(symbol.ascii) == len(symbol.unicode) == 1 for symbol in SYMBOLS.values())
