"""``python -m amplitude_emulator``: start, print how to use it, serve until a signal."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from amplitude_emulator.clock import format_instant, parse_instant
from amplitude_emulator.export_api import DEFAULT_ARCHIVE_LIMIT_BYTES, DEFAULT_PUBLISH_DELAY_HOURS
from amplitude_emulator.hours import HOUR, format_hour, truncate_to_hour
from amplitude_emulator.project import DEFAULT_PROJECT_ID, REGIONS
from amplitude_emulator.sample_data import generate_hours
from amplitude_emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

SHUTDOWN_SIGNALS = {signal.SIGINT, signal.SIGTERM}

GREETING = """\
A local Amplitude is listening at {url}
  clock       {now}{state}
  project     {project_id} ({region})
  API key     {api_key}
  secret key  {secret_key}
  events      {events} sample events

Use it with source-amplitude, in another terminal:
  export AMPLITUDE_API_URL={url}
  export AMPLITUDE_API_KEY={api_key} AMPLITUDE_SECRET_KEY={secret_key} AMPLITUDE_REGION={region}
  source-amplitude land --to landed
Export one hour:
  curl -u {api_key}:{secret_key} -o export.zip '{url}/{region}/api/2/export?start={hour}&end={hour}'
Send an event:
  curl -H 'Content-Type: application/json' {url}/{region}/2/httpapi \\
    -d '{{"api_key":"{api_key}","events":[{{"user_id":"user-42","event_type":"Button Clicked"}}]}}'
Move the clock forward by an hour:
  curl -X PUT -d '{{"advance_seconds": 3600}}' {url}/_emulator/clock
Stop with Ctrl-C. amplitude_emulator/README.md describes everything else.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code; 2 for invalid settings."""
    options = make_parser().parse_args(arguments)
    try:
        return _serve(options)
    except (OSError, ValueError) as error:  # port in use, host is not loopback, folder is not writable
        sys.stderr.write(f"amplitude_emulator: {error}\n")
        return 2


def _serve(options: argparse.Namespace) -> int:
    emulator = Emulator(
        now=options.now,
        publish_delay_hours=options.publish_delay_hours,
        project_id=options.project_id,
        region=options.region,
        seed=options.seed,
        data_dir=options.data_dir,
        host=options.host,
        port=options.port,
    )
    emulator.options = replace(
        emulator.options,
        archive_limit_bytes=options.archive_limit_bytes,
        deflated=options.deflated,
        directory_entry=options.directory_entry,
    )
    if options.running:
        emulator.clock.set(emulator.clock.now(), running=True)
    events = _fill(emulator, options)
    # Blocked before the server's thread starts, so that only the wait below receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, SHUTDOWN_SIGNALS)
    with emulator:
        if options.ready_file is not None:
            _write_ready_file(options.ready_file, emulator)
        sys.stdout.write(_greet(emulator, events))
        sys.stdout.flush()
        signal.sigwait(SHUTDOWN_SIGNALS)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m amplitude_emulator", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="a loopback address")
    add("--port", type=int, default=0, help="port to listen on; 0: any free port")
    add("--data-dir", type=Path, help="folder for the members; default: in memory")
    add("--now", type=parse_instant, help="set the clock, for example 2026-03-04T12:00:00Z")
    add("--running", action="store_true", help="let the clock run on from --now")
    add("--publish-delay-hours", type=float, default=DEFAULT_PUBLISH_DELAY_HOURS)
    add("--project-id", type=int, default=DEFAULT_PROJECT_ID)
    add("--region", choices=REGIONS, default="us")
    add("--seed", type=int, default=7, help="seed of keys, ids and sample events")
    add("--sample-days", type=float, default=3, help="days of sample events; 0: no sample events")
    add("--events-per-hour", type=int, default=300, help="average number of events in an hour that has events")
    add("--events", type=int, help="exact total of sample events, instead of --events-per-hour")
    add("--archive-limit-bytes", type=int, default=DEFAULT_ARCHIVE_LIMIT_BYTES)
    add("--deflated", action="store_true", help="deflate the members of archives")
    add("--directory-entry", action="store_true", help="start archives with a directory entry")
    add("--ready-file", type=Path, help="JSON file for URL and keys, written once the server listens")
    return parser


def _fill(emulator: Emulator, options: argparse.Namespace) -> int:
    """Create sample events up to the newest published hour; keep a filled data directory unchanged."""
    if options.sample_days <= 0 or emulator.store.stored_bytes:
        return 0
    delay = timedelta(hours=options.publish_delay_hours)
    last_hour = truncate_to_hour(emulator.clock.now() - delay)
    return generate_hours(
        emulator.store,
        seed=options.seed,
        start=last_hour + HOUR - timedelta(hours=round(options.sample_days * 24)),
        end=last_hour + HOUR,
        events_per_hour=options.events_per_hour,
        total_events=options.events,
    )


def _write_ready_file(path: Path, emulator: Emulator) -> None:
    """Write URL and keys atomically, for programs that poll for the file."""
    project = emulator.project
    content = {
        "url": emulator.url,
        "project_id": project.project_id,
        "region": project.region,
        "api_key": project.api_key,
        "secret_key": project.secret_key,
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content) + "\n", encoding="utf-8")
    partial.replace(path)


def _greet(emulator: Emulator, events: int) -> str:
    members = emulator.store.members()
    hour = members[-1].name.hour if members else emulator.clock.now()
    return GREETING.format(
        **vars(emulator.project),
        url=emulator.url,
        now=format_instant(emulator.clock.now()),
        state="" if emulator.clock.is_running else ", stopped",
        events=events,
        hour=format_hour(hour),
    )


if __name__ == "__main__":
    sys.exit(main())
