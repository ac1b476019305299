"""A configuration from a file: JSON as Airbyte writes it, or YAML as ``source-amplitude config`` does."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from source_amplitude.config import parse_config
from source_amplitude.config.text_files import read_text
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.config import Config

_SECRETS = ("api_key", "secret_key")
_COMMENT = re.compile(r"^\s*(//|/\*)", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_config(path: str) -> Config:
    """Return the configuration in a file.

    Raises:
        InvalidConfigError: It cannot be read, or values in it cannot be used; nothing of the file is quoted but these.
    """
    return parse_config(read_raw_config(path))


def read_raw_config(path: str, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the fields and values in a file; a key that is ``${NAME}`` is taken from the environment.

    Raises:
        InvalidConfigError: It cannot be read, holds no fields, YAML would read values as others than were written, or a
            variable is not set.
    """
    try:
        raw = _parse(read_text(path))
    except UnicodeDecodeError:
        raise InvalidConfigError((f"--config: {path} is no text in UTF-8",)) from None
    except OSError as error:
        raise InvalidConfigError((f"--config: {path} cannot be read ({error.strerror})",)) from None
    except ValueError as error:
        raise InvalidConfigError((f"--config: {path} is no JSON{error}",)) from None
    if not isinstance(raw, dict):
        raise InvalidConfigError((f"--config: {path} holds no JSON object of fields and values",))
    return raw | _from_environment(raw, environ)


def _parse(text: str) -> object:
    """Return what a JSON or YAML text says.

    Raises:
        ValueError: It is neither; the text says where, and quotes nothing of it.
        InvalidConfigError: YAML would read values as others than were written.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(" (nested too deeply)") from None
    except ValueError as error:
        if text.lstrip().startswith(("{", "[")) or _COMMENT.match(text):
            hint = "; JSON has no comments" if _COMMENT.search(text) else ""
            raise ValueError(f" ({error}){hint}") from None
    from source_amplitude.config.yaml_values import parse_yaml  # noqa: PLC0415 - most files are JSON

    return parse_yaml(text)


def _from_environment(raw: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    found, problems = {}, []
    for name in _SECRETS:
        value = raw.get(name)
        match = _VARIABLE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            continue
        found[name] = environ.get(match[1], "")
        if not found[name].strip():
            is_set = "is empty" if match[1] in environ else "is not set"
            problems.append(f"{name}: the environment variable {match[1]} {is_set}")
    if problems:
        raise InvalidConfigError(tuple(problems))
    return found
