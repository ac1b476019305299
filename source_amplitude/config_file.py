"""A configuration from a JSON file, for commands that are not Airbyte's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from source_amplitude.config import parse_config
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from source_amplitude.config import Config


def read_config(path: str) -> Config:
    """Return the configuration in a file.

    Raises:
        InvalidConfigError: It cannot be read, or values in it cannot be used; nothing of the file is quoted but these.
    """
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfigError((f"--config: {path} cannot be read ({error.strerror})",)) from None
    except ValueError as error:
        raise InvalidConfigError((f"--config: {path} is no JSON ({error})",)) from None
    if not isinstance(raw, dict):
        raise InvalidConfigError((f"--config: {path} holds no JSON object of fields and values",))
    return parse_config(raw)
