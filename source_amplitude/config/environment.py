"""Make a configuration from environment variables, for commands without a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.config import Region, parse_config
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.config import Config

API_KEY, SECRET_KEY, REGION = "AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY", "AMPLITUDE_REGION"
REGIONS = {"us": Region.STANDARD, "eu": Region.EU}
"""The values of ``--region`` and ``AMPLITUDE_REGION``."""


def missing_keys(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the key variables that are empty or not set."""
    return [name for name in (API_KEY, SECRET_KEY) if not environ.get(name, "").strip()]


def config_of_environment(environ: Mapping[str, str], region: str | None = None) -> Config:
    """Return the configuration with the keys in ``environ``, and defaults for all other fields.

    Args:
        region: One of `REGIONS`; None: that of ``AMPLITUDE_REGION``, or ``us``.

    Raises:
        InvalidConfigError: A key is not set, or the region is unknown.
    """
    if missing := missing_keys(environ):
        variables = " and ".join(missing)
        raise InvalidConfigError((f"--config is not given, and {variables} must be set in the environment instead",))
    named = region or environ.get(REGION, "").strip().lower() or "us"
    if named not in REGIONS:
        raise InvalidConfigError((f"{REGION}: {named!r} is not one of {', '.join(REGIONS)}",))
    keys = {"api_key": environ[API_KEY], "secret_key": environ[SECRET_KEY]}
    return parse_config(keys | {"data_region": REGIONS[named].value}, needs_start=False)
