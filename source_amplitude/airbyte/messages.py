"""Airbyte's messages as JSON, equal to those of the CDK. Imports nothing slow: ``spec`` must start at once."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Message = dict[str, Any]


def line_of(message: Mapping[str, Any]) -> str:
    """Return a message as one line of UTF-8 text."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False) + "\n"


def spec_line() -> str:
    """Return the SPEC message for spec.json, equivalent to the CDK's."""
    spec = json.loads(resources.files("source_amplitude").joinpath("spec.json").read_text(encoding="utf-8"))
    return line_of({"type": "SPEC", "spec": spec})


def catalog_message(streams: Sequence[Mapping[str, Any]]) -> Message:
    return {"type": "CATALOG", "catalog": {"streams": streams}}


def succeeded_message() -> Message:
    return {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}


def failed_message(problem: str) -> Message:
    return {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "FAILED", "message": problem}}


def log_message(level: str, text: str) -> Message:
    return {"type": "LOG", "log": {"level": level, "message": text}}


def trace_message(error: Mapping[str, str], emitted_at_milliseconds: int) -> Message:
    """Return the TRACE message of an error with the keys message, internal_message, failure_type and stack_trace."""
    return {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": emitted_at_milliseconds, "error": error}}
