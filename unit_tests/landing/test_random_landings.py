"""Random histories of a destination: Amplitude changes, objects are lost, requests fail, and landings continue."""

from __future__ import annotations

import json
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from source_amplitude.run import run
from unit_tests.conftest import NOON
from unit_tests.end_to_end.command import SHORT
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.landing.program import STORE_LIMITS, at, objects_of, oracle, stored
from unit_tests.peers.peer import Peer
from unit_tests.random_lives import run_lives

if TYPE_CHECKING:
    from datetime import datetime

    from amplitude_emulator import Emulator

HOURS = st.integers(0, 9)
PARTITIONS = st.integers(1, 3)
FAULTS = st.sampled_from(["server_error", "broken_member", "cut_body", "too_large_above_hours", "empty_body"])
END = "2026-03-04T10"


class Landings(RuleBasedStateMachine):
    """Each member of the last successful response for its hour is in the store, or its hour is reported as missing."""

    emulator: Emulator
    config: str

    def __init__(self) -> None:
        super().__init__()
        self.emulator.reset()
        self.clock = FakeClock(NOON)
        self.folder = tempfile.TemporaryDirectory()
        self.peer = Peer(str(Path(self.folder.name) / "landed"))
        self.versions: dict[str, list[bytes]] = {}
        self.seen: dict[str, int] = {}
        self.count = 0

    @initialize()
    def begin(self) -> None:
        self.land(only_missing=False, first=0, end=10)

    @rule(hour=HOURS, partition=PARTITIONS)
    def amplitude_gets_events(self, hour: int, partition: int) -> None:
        self.count += 1
        self.emulator.store.append_lines(at(hour), partition, [{"uuid": str(self.count)}])
        self.record_members()

    @rule(hour=HOURS, partition=PARTITIONS)
    def amplitude_rewrites_a_member(self, hour: int, partition: int) -> None:
        self.count += 1
        self.emulator.store.put_content(at(hour), partition, b'{"uuid":"%d"}\n' % self.count)
        self.record_members()

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.emulator.clock.advance(timedelta(hours=hours))
        self.clock.advance(hours * 3600)

    @rule(which=st.integers(0, 50), how=st.sampled_from(["deleted", "cut", "longer"]))
    def an_object_is_damaged(self, which: int, how: str) -> None:
        files = sorted(Path(self.peer.url).rglob("*.gz"))
        if files:
            path = files[which % len(files)]
            if how == "deleted":
                path.unlink()
            else:  # never to its former size: only sizes are compared
                path.write_bytes(b"cut" if how == "cut" else path.read_bytes() + b"x")

    @rule(hour=HOURS)
    def a_manifest_is_deleted(self, hour: int) -> None:
        Path(self.peer.url, f"_manifest/date=2026-03-04/hour={hour:02}.json").unlink(missing_ok=True)

    @rule(only_missing=st.booleans(), first=st.integers(0, 9), hours=st.integers(1, 10), fault=FAULTS, where=HOURS)
    def land_with_a_fault(self, *, only_missing: bool, first: int, hours: int, fault: str, where: int) -> None:
        self.emulator.faults.add(fault, hour=at(where))
        self.land(only_missing=only_missing, first=first, end=min(10, first + hours))
        self.emulator.faults.clear()

    @rule(only_missing=st.booleans(), first=st.integers(0, 9), hours=st.integers(1, 10))
    def land_a_part(self, *, only_missing: bool, first: int, hours: int) -> None:
        assert self.land(only_missing=only_missing, first=first, end=min(10, first + hours)) == 0

    @rule()
    def hours_not_missing_are_complete(self) -> None:
        missing = self.run("missing")
        content = objects_of(stored(self.peer))
        for path, newest in self.seen.items():
            hour = f"2026-03-04T{path.split('hour=')[1][:2]}"
            assert hour in missing or content.get(path) in self.versions[path][newest:]

    @rule()
    def a_full_landing_mirrors_amplitude(self) -> None:
        assert self.land(only_missing=False, first=0, end=10) == 0
        assert objects_of(stored(self.peer)) == oracle(self.emulator.store)
        assert self.run("missing") == ""

    def land(self, *, only_missing: bool, first: int, end: int) -> int:
        self.emulator.clear_requests()
        span = ["--start", f"2026-03-04T{first:02}", "--end", f"2026-03-04T{end:02}"]
        out = StringIO()
        with redirect_stdout(out), redirect_stderr(StringIO()):
            arguments = ["land", "--config", self.config, "--to", self.peer.url, *span]
            code = run(
                [*arguments, *["--only-missing"] * only_missing],
                limits=SHORT,
                store_limits=STORE_LIMITS,
                clock=self.clock,
            )
        if code == 0 and not only_missing:
            self.seen |= {path: len(self.versions[path]) - 1 for path in self.record_members(at(first), at(end))}
        return code

    def record_members(self, start: datetime | None = None, end: datetime | None = None) -> list[str]:
        """Record the current members at Amplitude, and return their paths."""
        now = oracle(self.emulator.store, start, end)
        for path, body in now.items():
            versions = self.versions.setdefault(path, [])
            if not versions or versions[-1] != body:
                versions.append(body)
        return list(now)

    def run(self, command: str) -> str:
        out = StringIO()
        with redirect_stdout(out), redirect_stderr(StringIO()):
            run(
                [command, "--to", self.peer.url, "--start", "2026-03-04", "--end", END],
                limits=SHORT,
                store_limits=STORE_LIMITS,
                clock=self.clock,
            )
        return out.getvalue()

    def teardown(self) -> None:
        self.a_full_landing_mirrors_amplitude()
        self.folder.cleanup()


@pytest.fixture
def configured(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AMPLITUDE_API_URL", emulator.url)
    project = emulator.project
    path = tmp_path / "config.json"
    keys = {"api_key": project.api_key, "secret_key": project.secret_key}
    path.write_text(json.dumps({**keys, "start_date": "2026-03-04T00:00:00Z", "num_workers": 2}), encoding="utf-8")
    return str(path)


def test_few_random_histories_lose_no_events(emulator: Emulator, configured: str) -> None:
    run_lives(Landings, emulator=emulator, config=configured, lives=12, steps=25)


@pytest.mark.landing
@pytest.mark.timeout(900)
def test_many_random_histories_lose_no_events(emulator: Emulator, configured: str) -> None:
    run_lives(Landings, emulator=emulator, config=configured, lives=120, steps=40)
