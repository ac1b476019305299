from __future__ import annotations

import pytest

from source_amplitude.config import Region
from source_amplitude.config.environment import config_of_environment
from source_amplitude.errors import InvalidConfigError

KEYS = {"AMPLITUDE_API_KEY": "a-key", "AMPLITUDE_SECRET_KEY": "a-secret"}


@pytest.mark.parametrize(
    ("variable", "option", "expected"),
    [
        (None, None, Region.STANDARD),
        ("", None, Region.STANDARD),
        ("us", None, Region.STANDARD),
        ("eu", None, Region.EU),
        ("EU", None, Region.EU),
        ("eu", "us", Region.STANDARD),
        ("us", "eu", Region.EU),
    ],
)
def test_the_option_wins_over_the_variable(variable: str | None, option: str | None, expected: Region) -> None:
    environ = KEYS if variable is None else KEYS | {"AMPLITUDE_REGION": variable}

    config = config_of_environment(environ, option)

    assert (config.keys.api_key, config.keys.secret_key, config.region) == ("a-key", "a-secret", expected)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({}, "AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY must be set in the environment instead"),
        (KEYS | {"AMPLITUDE_SECRET_KEY": " "}, "AMPLITUDE_SECRET_KEY must be set in the environment instead"),
    ],
    ids=["no keys", "a blank key"],
)
def test_missing_variables_are_named(environ: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        config_of_environment(environ)

    assert raised.value.problems == (f"--config is not given, and {problem}",)


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(InvalidConfigError) as raised:
        config_of_environment(KEYS | {"AMPLITUDE_REGION": "mars"})

    assert raised.value.problems == ("AMPLITUDE_REGION: 'mars' is not one of us, eu",)
