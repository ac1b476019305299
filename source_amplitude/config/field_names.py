"""Report field names that the configuration does not have, or that a command does not use."""

from __future__ import annotations

import logging
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from source_amplitude.config.fields import holds_a_key, schema, shown
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SIMILARITY = 0.7  # finds region for data_region, and secret for secret_key

_logger = logging.getLogger("airbyte")


def check_field_names(raw: Mapping[str, Any], *, unused: Collection[str] | None = None) -> None:
    """Warn about unknown fields, and about those that the command does not use.

    Args:
        raw: The fields and values of a configuration.
        unused: The fields that have no effect in one of our own commands, which refuse misspelt names. None for
            Airbyte's commands: Airbyte may add fields, so they only warn.

    Raises:
        InvalidConfigError: A name is similar to a known one, and ``unused`` is given.
    """
    misspelt = []
    for name in raw:
        if name in schema()["properties"] or name.startswith("_"):
            continue
        text = "a key" if holds_a_key(name, raw) else shown(name)
        similar = get_close_matches(name.lower(), schema()["properties"], n=1, cutoff=_SIMILARITY)
        if similar and unused is not None:
            misspelt.append(f"{text} is not a field (did you mean {similar[0]}?)")
        else:
            hint = f" Did you mean {similar[0]}?" if similar else ""
            _logger.warning("%s is not a field of the configuration and is ignored.%s", text, hint)
    if misspelt:
        raise InvalidConfigError(tuple(misspelt))
    if idle := [name for name in unused or () if raw.get(name) is not None]:
        _logger.warning("The configuration sets %s, which this command does not use.", ", ".join(idle))
