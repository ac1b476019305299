"""Parse a configuration in YAML without changing values.

YAML reads ``0123456`` as 42798 and ``no`` as false. The field's type in ``spec.json`` decides how such a value is
handled. It is used if it fits (``no`` for a boolean), passed on as written so that the error message shows it, or
rejected: a cohort's ID must never change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from source_amplitude.config.fields import schema
from source_amplitude.config.json_text import MOST_LEVELS
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAG = "tag:yaml.org,2002:"
# The YAML types of an unquoted text that is not a string.
_KINDS = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
    "null": "null",
}
_SIGNS = (f"{_TAG}value", f"{_TAG}merge")  # "=" and "<<" without quotes
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})")
_LONGEST_NUMBER_CHARS = 100  # PyYAML needs minutes for 1:1:1:... of a megabyte
_HOURS = ("accepted_gaps",)  # parse_config reports invalid hours


def parse_yaml(text: str) -> object:
    """Parse a YAML text; field names stay as written.

    Raises:
        ValueError: The text is not valid YAML, or has anchors or aliases; the message has the position and no part of
            the text.
        InvalidConfigError: YAML would change a value, or a field is given more than once.
    """
    try:
        _require_plain(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if isinstance(root, yaml.MappingNode):
                return _Fields(loader, root).read()
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except _UnsupportedError:
        raise
    except yaml.MarkedYAMLError as error:  # its message quotes aliases and tags
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ValueError(f" or YAML{where}; keys with special characters need quotes") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):  # a date such as 2026-13-01; a list as a name
        raise ValueError(" or YAML") from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader; a very long number stays a text."""


def _short_number(loader: _Loader, node: yaml.ScalarNode) -> object:
    is_long = len(node.value) > _LONGEST_NUMBER_CHARS
    is_float = node.tag == f"{_TAG}float"
    construct = loader.construct_yaml_float if is_float else loader.construct_yaml_int
    return loader.construct_scalar(node) if is_long else construct(node)


for _tag in ("int", "float"):
    _Loader.add_constructor(f"{_TAG}{_tag}", _short_number)


class _UnsupportedError(ValueError):
    """The text is valid YAML that this source does not read."""


def _require_plain(text: str) -> None:
    """Read the text once, without building values; raise an _UnsupportedError for anchors, aliases and deep nesting.

    Aliases of aliases grow without bound: 500 characters can stand for a billion values.
    """
    levels = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if levels > MOST_LEVELS:
            raise _UnsupportedError(" or YAML (nested too deeply)")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            line = event.start_mark.line + 1 if event.start_mark else 1
            where = f"line {line} has an alias or anchor, * or &"
            hint = "write the value itself, and put keys with special characters in quotes"
            raise _UnsupportedError(f" or plain YAML ({where}); {hint}")


class _Fields:
    """Reads declared fields by their types, and other fields as YAML does."""

    def __init__(self, loader: yaml.SafeLoader, root: yaml.MappingNode) -> None:
        self._declared: Mapping[str, Any] = schema()["properties"]
        self._loader = loader
        self._root = root
        self._problems: list[str] = []

    def read(self) -> dict[str, Any]:
        self._require_each_once()
        self._loader.flatten_mapping(self._root)
        nodes = {_name(key): value for key, value in self._root.value}
        self._secrets = [
            str(node.value)
            for name, node in nodes.items()
            if self._declared.get(name, {}).get("airbyte_secret") and isinstance(node, yaml.ScalarNode) and node.value
        ]
        values = {name: self._value(name, node) for name, node in nodes.items()}
        if self._problems:
            raise InvalidConfigError(tuple(self._problems))
        return values

    def _require_each_once(self) -> None:
        names = [_name(key) for key, _ in self._root.value]
        twice = [name for name in self._declared if names.count(name) > 1]
        if twice:
            raise InvalidConfigError(tuple(f"{name} is given more than once" for name in twice))

    def _value(self, name: str, node: yaml.Node) -> object:
        field = self._declared.get(name)
        if field is None:
            return self._loader.construct_document(node)
        if field["type"] == "array" and isinstance(node, yaml.SequenceNode):
            return [self._item(name, field["items"], each) for each in node.value]
        if _kind(node) == "null" and not field.get("airbyte_secret"):
            return None  # as in JSON: a missing field
        return self._item(name, field, node)

    def _item(self, name: str, declared: Mapping[str, Any], node: yaml.Node) -> object:
        kind, text = _kind(node), node.value
        if node.tag in _SIGNS:
            return str(text)
        if kind is None:
            return self._loader.construct_document(node)
        if kind == "null" and not text:
            return None
        return self._plain(name, declared, node, kind)

    def _plain(self, name: str, declared: Mapping[str, Any], node: yaml.Node, kind: str) -> object:
        """Return the value of an unquoted text that YAML does not read as a string."""
        text = str(node.value)
        if declared["type"] == "integer" and _DECIMAL.fullmatch(text):
            return int(text)
        if declared["type"] == "boolean" and kind == "bool":
            return self._loader.construct_document(node)
        if declared["type"] == "string" and declared.get("format") != "date-time" and name not in _HOURS:
            shown = "the value" if self._is_secret(name, text) else text
            self._problems.append(f"{name}: YAML reads {shown} as {_KINDS[kind]}, not as a string; put it in quotes")
        return text

    def _is_secret(self, name: str, text: str) -> bool:
        return "airbyte_secret" in self._declared[name] or any(each in text for each in self._secrets)


def _name(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise ValueError("a list or a mapping as the name of a field")  # noqa: TRY004 - as yaml.YAMLError is caught
    return str(key.value)


def _kind(node: yaml.Node) -> str | None:
    """Return the YAML type of an unquoted text; None for a string."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return None
    kind = node.tag.removeprefix(_TAG)
    return kind if kind in _KINDS else None
