"""What the commands' options have in common, and how their texts become values."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from source_amplitude.config import AMPLITUDE_BEGINNING
from source_amplitude.errors import InvalidConfigError
from source_amplitude.terminal.typed import PROGRAM, TypedCommand
from source_amplitude.windows import DAY, HourWindow, floor_hour, floor_unit, parse_moment

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.windows import HourSet

_TIMES = "a UTC time: 2026-01-01, 2026-01-01T05, yesterday, today, or 36h or 3d for so long ago"


def parser(command: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every command has: ``--to``, ``--start``, ``--end``."""
    made = argparse.ArgumentParser(
        prog=f"source-amplitude {command}", description=description, allow_abbrev=False, add_help=True
    )
    made.add_argument(
        "--to",
        required=True,
        metavar="PLACE",
        help="s3://bucket/prefix, az://container/prefix, gs://bucket/prefix, or a folder",
    )
    made.add_argument("--start", metavar="TIME", help=f"the first hour, {_TIMES}")
    made.add_argument("--end", metavar="TIME", help="the hour after the last one; left out: the newest published hour")
    return made


def survey_parser(command: str, description: str) -> argparse.ArgumentParser:
    """Return a parser for a command that only looks at what is there: `parser`, and ``--config`` as an option."""
    made = parser(command, description)
    made.add_argument("--config", metavar="FILE", help="for accepted_gaps and export_delay_hours; keys are not used")
    return made


def moment(option: str, text: str, now: datetime) -> datetime:
    """Return the whole hour (the day, before 2014-11-12) that the value of ``--start`` or ``--end`` names.

    Raises:
        InvalidConfigError: It names none, or one before Amplitude began.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"today": today, "yesterday": today - DAY}
    ago = re.fullmatch(r"(\d{1,5})([hd])", text)
    if ago:
        found = now - timedelta(hours=int(ago[1]) * (24 if ago[2] == "d" else 1))
    else:
        parsed = named.get(text) or parse_moment(text)
        if parsed is None:
            raise InvalidConfigError((f"{option}: {text!r} is not {_TIMES}",))
        found = parsed
    if found < AMPLITUDE_BEGINNING:
        raise InvalidConfigError((f"{option}: {text!r} is before {AMPLITUDE_BEGINNING:%Y-%m-%d}",))
    return floor_unit(found)


def span(start: datetime, end: datetime) -> HourWindow:
    """Return the hours between the two options.

    Raises:
        InvalidConfigError: There are none.
    """
    if end <= start:
        raise InvalidConfigError((f"--end: {end:%Y-%m-%dT%H} is not after --start, {start:%Y-%m-%dT%H}",))
    return HourWindow(start, end)


def yesterday(now: datetime) -> datetime:
    """Return where landing begins when nobody says where."""
    return floor_hour(now).replace(hour=0) - DAY


def fetch_command(
    *, config: str | None, to: str, form: str, missing: HourSet, program: tuple[str, ...] = (PROGRAM,)
) -> str | None:
    """Return the shell command that fetches ``missing``, or None when nothing is.

    Args:
        config: The file, or None where none was named.
        to: The place, as it was typed.
        form: The format that is there; empty where nothing is.
        missing: Which hours.
        program: How this program was called.
    """
    if not missing.windows:
        return None
    first, last = missing.windows[0].start, missing.windows[-1].end
    words = ["land", "--config", config or "config.json", "--to", to]
    words += ["--start", f"{first:%Y-%m-%dT%H}", "--end", f"{last:%Y-%m-%dT%H}"]
    words += ["--format", form] if form not in ("", "raw") else []
    return str(TypedCommand(program, (*words, "--only-missing")))
