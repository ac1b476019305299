"""The user's configuration: `Config` from a mapping, or from a file of JSON or YAML."""

from source_amplitude.config.config import AMPLITUDE_BEGINNING, Config, Keys, MalformedLines, Region, parse_config

__all__ = ["AMPLITUDE_BEGINNING", "Config", "Keys", "MalformedLines", "Region", "parse_config"]
