"""The files that a command is given: there, JSON, and of the right shape, or one readable error.

The CDK would answer with a traceback, and quote what the file holds.
"""

from __future__ import annotations

import json
from pathlib import Path

from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from serpyco_rs import SchemaValidationError

from source_amplitude.errors import InvalidConfigError
from source_amplitude.failures import traced


def require_readable(option: str, path: str | None) -> None:
    """Return if the file given with ``--config``, ``--catalog`` or ``--state`` can be used, or was not given.

    Raises:
        AirbyteTracedException: It cannot; the text names the option and the file, and quotes nothing of it.
    """
    if path is not None and (complaint := _complaint(option, path)):
        raise traced(InvalidConfigError((f"--{option}: {path} {complaint}",)))


def read_state_file(path: str) -> object:
    """Return what a state file holds: one JSON value, or a list of the values of its lines.

    Lines are what ``grep '"type":"STATE"'`` leaves of a read's output.

    Raises:
        OSError, ValueError: It cannot be read, or holds neither.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - one line that is no JSON is the error above
            raise
        return [json.loads(line) for line in lines]


def _complaint(option: str, path: str) -> str:
    try:
        content = read_state_file(path) if option == "state" else json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except ValueError as error:
        return f"is no JSON ({error})"
    if option == "config" and not isinstance(content, dict):
        return "holds no JSON object of fields and values"
    if option == "catalog":
        return _complaint_about_catalog(content)
    return ""


def _complaint_about_catalog(content: object) -> str:
    if not isinstance(content, dict) or not isinstance(content.get("streams"), list):
        return "is no configured catalog: it needs a list named streams"
    try:
        ConfiguredAirbyteCatalogSerializer.load(content)
    except (SchemaValidationError, ValueError, TypeError, KeyError):
        return (
            "is no configured catalog: each stream needs stream, sync_mode (full_refresh or incremental) and "
            "destination_sync_mode; discover's output is a catalog that is not configured yet"
        )
    return ""
