from __future__ import annotations

import pytest

from amplitude_emulator.languages import LANGUAGE_NAMES, language_name


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en-US", "English"),
        ("en_GB", "English"),
        ("EN", "English"),
        ("pt-BR", "Portuguese"),
        ("zh-Hans", "Chinese"),
        ("nn", "Norwegian"),
        ("ga", "Ga"),
        ("English", "English"),
        ("tlh", "tlh"),
        ("", ""),
    ],
)
def test_language_name(tag: str, name: str) -> None:
    assert language_name(tag) == name


def test_all_common_tags_of_the_reference_are_known() -> None:
    assert (len(LANGUAGE_NAMES), LANGUAGE_NAMES["ar"], LANGUAGE_NAMES["zu"]) == (69, "Arabic", "Zulu")
