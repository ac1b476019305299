"""Files that an older version saved, and an emulator with their data; see `unit_tests/fixtures/e2beff4/README.md`."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from amplitude_emulator import Emulator
from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

E2BEFF4 = Path(__file__).parent / "fixtures" / "e2beff4"
START = datetime(2026, 3, 3, 6, tzinfo=timezone.utc)
COMPLETED_LATER = "completed-later"
"""The uuid in the incomplete last line of a member."""

_PROJECT_ID = 100200
_SECONDS = 10


def saved(name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the content of a saved JSON file."""
    return json.loads((E2BEFF4 / name).read_text("utf-8"))


@contextmanager
def amplitude_as_it_was(folder: Path) -> Iterator[Emulator]:
    """Serve the events, lists and cohorts that the older version read, copied to ``folder``."""
    shutil.copytree(E2BEFF4 / "amplitude", folder)
    with Emulator(now=NOON, project_id=_PROJECT_ID, data_dir=folder) as emulator:
        _put(emulator, "catalog", saved("amplitude/catalog.json"))
        _put(emulator, "settings", {"cohort_pending_polls": 0})
        for cohort_id, cohort in saved("amplitude/cohorts.json").items():
            _put(emulator, f"cohorts/{cohort_id}", cohort)
        yield emulator


def _put(emulator: Emulator, what: str, body: object) -> None:
    requests.put(f"{emulator.url}/_emulator/{what}", json=body, timeout=_SECONDS).raise_for_status()


def at(day: int, hour: int) -> datetime:
    """Return an hour of March 2026."""
    return START.replace(day=day, hour=hour)


def uuids_in(lines: Iterable[bytes]) -> list[str]:
    """Return the sorted uuids of the lines that are JSON objects."""
    found = []
    for line in lines:
        try:
            found.append(str(json.loads(line)["uuid"]))
        except ValueError:
            continue
    return sorted(found)


def late_event(uuid: str) -> bytes:
    """Return the line of a late-arriving event."""
    return json.dumps({"uuid": uuid, "server_upload_time": "2026-03-03 12:00:00.000000"}).encode()


def complete_the_half_line(emulator: Emulator) -> None:
    """Complete the incomplete last line, with its line feed."""
    member = emulator.store.member(at(3, 12), 7)
    content = b"\n".join(emulator.store.lines(at(3, 12), at(3, 13))[-3:])
    emulator.store.put_content(at(3, 12), member.name.partition, content + b'00:30.000000"}\n')


def add_late_events(emulator: Emulator) -> list[str]:
    """Add late-arriving events to read hours, to the partly read hour and to an hour without a request.

    Return their uuids.
    """
    store = emulator.store
    store.append_lines(at(3, 14), 0, [late_event("late-grown")])
    store.add_member(at(3, 13), [late_event("late-member")], partition=9)
    store.append_lines(at(4, 3), 0, [late_event("late-partly-read")])
    store.append_lines(at(4, 5), 7, [late_event("late-not-requested")])
    complete_the_half_line(emulator)
    return ["late-grown", "late-member", "late-partly-read", "late-not-requested", COMPLETED_LATER]
