"""The user's configuration: `Config`, parsed from a mapping or from a JSON or YAML file."""

from source_amplitude.config.config import (
    AMPLITUDE_BEGINNING,
    BackfillOrder,
    Config,
    Keys,
    MalformedLines,
    Region,
    parse_config,
)

__all__ = ["AMPLITUDE_BEGINNING", "BackfillOrder", "Config", "Keys", "MalformedLines", "Region", "parse_config"]
