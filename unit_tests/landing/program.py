"""Runs the landing commands, and computes the expected content of the store from the emulator."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore

from source_amplitude.landing.destination import StoreLimits
from source_amplitude.run import run
from unit_tests.conftest import NOON
from unit_tests.end_to_end.command import SHORT
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from amplitude_emulator import Emulator
    from amplitude_emulator.store import HourStore
    from amplitude_emulator.store import Member as StoredMember
    from unit_tests.peers.peer import Peer

PROJECT = Path(__file__).parent.parent.parent
COMMAND = Path(__file__).with_name("command.py")
STORE_LIMITS = StoreLimits(
    max_retries=3,
    retry_seconds=10,
    first_wait_seconds=0.01,
    connect_seconds=2,
    request_seconds=20,
    lock_notice_seconds=0.2,
)
DAY = "2026-03-04"
HOURS = ("--start", DAY)
_SETTINGS = ("AMPLITUDE_", "AWS_", "AZURE_", "GOOGLE_")


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def problem(self) -> str:
        """The error's text without the address of its section in docs/errors.md."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("source-amplitude: ")]
        return lines[-1].removeprefix("source-amplitude: ").partition(" Details: ")[0] if lines else ""

    @property
    def warnings(self) -> list[str]:
        """The warnings' texts."""
        return [line.split(" WARNING ", 1)[1] for line in self.stderr.splitlines() if " WARNING " in line]

    @property
    def summary(self) -> str:
        """The summary without the destination, the span and the seconds."""
        return self.stdout.rpartition(" UTC: ")[2].rpartition(";")[0]

    @property
    def hours(self) -> dict[str, str]:
        """The condition of each hour in the spans that `missing` lists."""
        found = {}
        for start, end, hours, condition, _ in (line.split("\t") for line in self.stdout.splitlines()):
            hour, after = (datetime.strptime(text, "%Y-%m-%dT%H") for text in (start, end))  # noqa: DTZ007 - as typed
            assert after - hour == timedelta(hours=int(hours))
            while hour < after:
                found[f"{hour:%Y-%m-%dT%H}"] = condition
                hour += timedelta(hours=1)
        return found


class Program:
    """Runs commands in this process against the emulator.

    Attributes:
        clock: The clock of the commands; the emulator has its own.
        folder: The folder for configurations and temporary files.
    """

    def __init__(
        self,
        emulator: Emulator,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.clock = FakeClock(NOON)
        self.folder = folder
        self._emulator = emulator
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        for name in list(os.environ):
            if name.startswith(_SETTINGS):
                monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("AMPLITUDE_API_URL", emulator.url)

    def land(self, peer: Peer, *options: str, **changes: object) -> Ended:
        return self.run("land", peer, "--config", self.config(**changes), *(options or HOURS))

    def missing(self, peer: Peer, *options: str) -> Ended:
        return self.run("missing", peer, *(options or HOURS))

    def run(self, command: str, peer: Peer, *options: str) -> Ended:
        for name, value in peer.environ.items():
            self._monkeypatch.setenv(name, value)
        return self.type(command, "--to", peer.url, *options)

    def type(self, *arguments: str) -> Ended:
        """Run a command line as it is."""
        self._capsys.readouterr()
        code = run(list(arguments), limits=SHORT, store_limits=STORE_LIMITS, clock=self.clock)
        output = self._capsys.readouterr()
        return Ended(code, output.out, output.err)

    def config(self, name: str = "config.json", /, **changes: object) -> str:
        """Write a configuration; a change to None leaves the field out."""
        project = self._emulator.project
        base = {"api_key": project.api_key, "secret_key": project.secret_key, "start_date": "2026-03-04T00:00:00Z"}
        path = self.folder / name
        path.write_text(json.dumps({name: value for name, value in (base | changes).items() if value is not None}))
        return str(path)

    def pass_time(self, **time: float) -> None:
        """Advance both clocks."""
        self._emulator.clock.advance(timedelta(**time))
        self.clock.advance(timedelta(**time).total_seconds())

    # In a separate process

    def environ(self, peer: Peer, **more: str) -> dict[str, str]:
        names = ("PATH", "HOME", "AMPLITUDE_API_URL", "LANG")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {**kept, **peer.environ, "TMPDIR": str(self.folder), "LANDING_NOW": self.clock.now().isoformat(), **more}

    def command(self, command: str, peer: Peer, *options: str) -> list[str]:
        return [sys.executable, str(COMMAND), command, "--to", peer.url, *(options or HOURS)]

    def start(
        self, peer: Peer, *options: str, environ: Mapping[str, str] | None = None, config: str | None = None
    ) -> subprocess.Popen[str]:
        """Start a landing."""
        return subprocess.Popen(
            self.command("land", peer, "--config", config or self.config(), *(options or HOURS)),
            cwd=PROJECT,
            env=self.environ(peer) | dict(environ or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a started command and return its result."""
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


def stored(peer: Peer) -> dict[str, bytes]:
    """Return every object by its path below the prefix, without a folder's lock."""
    store = peer.store()
    paths = [each["path"] for each in obstore.list(store).collect() if not each["path"].endswith("/.lock")]
    return {path: bytes(obstore.get(store, path).bytes()) for path in paths}


def objects_of(content: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the objects without the manifests."""
    return {path: body for path, body in content.items() if path.startswith("events/")}


def manifests_of(content: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Return the manifests by their hour, such as ``2026-03-04T05``."""
    found = [json.loads(body) for path, body in content.items() if path.startswith("_manifest/date=")]
    return {manifest["hour"]: manifest for manifest in found}


def place_of(content: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return the marker of the destination, or None without one."""
    body = content.get("_manifest/place.json")
    return None if body is None else json.loads(body)


def states_of(content: Mapping[str, bytes]) -> dict[str, str]:
    """Return the state of each hour with a manifest, by the hour's two digits."""
    return {hour[-2:]: manifest["state"] for hour, manifest in sorted(manifests_of(content).items())}


def oracle(store: HourStore, start: datetime | None = None, end: datetime | None = None) -> dict[str, bytes]:
    """Return the expected objects: the emulator's members, unmodified."""
    return {object_path(member): read(store, member) for member in store.members(start, end)}


def object_path(member: StoredMember) -> str:
    name = member.name
    base = f"{name.project_id}_{name.hour:%Y-%m-%d_%H}_{name.partition}.json.gz"
    return f"events/date={name.hour:%Y-%m-%d}/hour={name.hour:%H}/{base}"


def read(store: HourStore, member: StoredMember) -> bytes:
    body = store.read(member.name)
    assert body is not None
    return body


def object_in_manifest(peer: Peer, store: HourStore, member: StoredMember) -> dict[str, Any]:
    """Return the expected manifest entry of a member that was landed raw."""
    path, body = object_path(member), read(store, member)
    content = gzip.decompress(body)
    return {
        "name": path.rpartition("/")[2],
        "member": str(member.name),
        "bytes": len(body),
        "crc32": f"{zlib.crc32(body):08x}",
        "packed_bytes": len(body),
        "packed_crc32": f"{zlib.crc32(body):08x}",
        "events": content.count(b"\n"),
        "content_bytes": len(content),
        "content_crc32": f"{zlib.crc32(content):08x}",
        "malformed_lines": 0,
        "etag": str(obstore.head(peer.store(), path)["e_tag"]).strip('"'),
    }


def at(hour: int) -> datetime:
    """Return an hour of the day."""
    return NOON.replace(hour=hour)
