"""Control characters from outside do not reach a terminal, a log line, a manifest or the lines of `missing`."""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import obstore
import pytest

from source_amplitude.landing.destination import StoreLimits, parse_destination
from source_amplitude.landing.formats import Raw
from source_amplitude.landing.hour import FoundHour, HourWriter
from source_amplitude.landing.store import Store
from source_amplitude.windows import hour_window
from unit_tests.landing.formats.rendering import archive_of
from unit_tests.landing.program import HOURS, at, manifests_of, objects_of, stored
from unit_tests.peers.faults import FOREVER, Answer, xml_error

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from source_amplitude.landing.manifest import Manifest
    from unit_tests.landing.program import Ended, Program
    from unit_tests.peers.peer import FaultyPeer, Peer

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]")
EVIL = "\x1b]0;title\x07\x1b[2J\r\n\t\x9b31m\u202e\ud800 2026-03-04T00:00:00Z INFO forged"
SHOWN = "\\x1b]0;title\\x07\\x1b[2J\\r\\n\\t\\x9b31m\\u202e\\ud800 2026-03-04T00:00:00Z INFO forged"  # one line
PATH = "_manifest/date=2026-03-04/hour={}.json"


def change_manifest(peer: Peer, hour: str, **changes: object) -> None:
    saved = json.loads(stored(peer)[PATH.format(hour)])
    obstore.put(peer.store(), PATH.format(hour), json.dumps(saved | changes).encode())


def controls_in(*results: Ended) -> list[str]:
    return [found for each in results for found in CONTROLS.findall(each.stdout + each.stderr)]


@pytest.mark.usefixtures("half_a_day")
def test_manifest_of_another_program_is_shown_escaped(program: Program, folder: Peer, tmp_path: Path) -> None:
    program.land(folder)
    first = manifests_of(stored(folder))["2026-03-04T06"]["objects"][0]
    change_manifest(folder, "05", state="failed", reason=EVIL, objects=[], event_types={EVIL: 7})
    change_manifest(folder, "06", objects=[first | {"name": f"x{EVIL}".replace("/", ""), "member": EVIL}])
    page = tmp_path / "report.html"

    missing = program.missing(folder)
    grid = program.run("report", folder, *HOURS)
    html = program.run("report", folder, *HOURS, "--out", str(page))
    landed = program.land(folder)

    assert controls_in(missing, grid, html, landed) == CONTROLS.findall(page.read_text("utf-8")) == []
    assert missing.stdout.splitlines() == [
        f"2026-03-04T05\t2026-03-04T06\t1\tfailed\t{SHOWN}",
        f"2026-03-04T06\t2026-03-04T07\t1\tshort\tx{SHOWN} is missing",
    ]
    assert page.read_text("utf-8").count(f"<bdi>{SHOWN}</bdi>") > 0
    assert landed.exit_code == 0, landed.stderr


@pytest.mark.parametrize("field", ["project", "format"])
@pytest.mark.usefixtures("half_a_day")
def test_refusal_shows_a_manifest_escaped(program: Program, folder: Peer, field: str) -> None:
    program.land(folder)
    change_manifest(folder, "05", **{field: EVIL})

    landed = program.land(folder)

    assert (landed.exit_code, controls_in(landed), SHOWN in landed.problem) == (1, [], True)


@pytest.mark.usefixtures("half_a_day")
def test_error_of_a_store_is_shown_escaped(program: Program, every_faulty_cloud: FaultyPeer) -> None:
    answer = Answer(400, xml_error("Odd\x1b[2J", "line\r\nINFO forged \x9b31m"))
    every_faulty_cloud.front.inject(answer, times=FOREVER)

    landed, missing = program.land(every_faulty_cloud), program.missing(every_faulty_cloud)

    assert (landed.exit_code, missing.exit_code, controls_in(landed, missing)) == (1, 3, [])
    assert "400 Bad Request: Odd\\x1b[2J, line INFO forged \\x9b31m" in landed.problem
    assert missing.stderr.count("\n") == 1


def test_event_types_are_escaped_in_the_manifest(emulator: Emulator, program: Program, folder: Peer) -> None:
    emulator.store.add_member(
        at(5), [{"uuid": "a", "event_type": "\x1b[2J\n"}, {"uuid": "b", "event_type": "👩\u200d🎨"}]
    )

    landed = program.land(folder, *HOURS, "--format", "jsonl")

    assert landed.exit_code == 0, landed.stderr
    types = manifests_of(stored(folder))["2026-03-04T05"]["event_types"]
    assert types == {"\\x1b[2J\\n": 1, "👩\u200d🎨": 1}
    (body,) = objects_of(stored(folder)).values()
    assert b"\\u001b[2J\\n" in gzip.decompress(body)  # the event itself is unchanged


def test_odd_member_is_landed_once_and_escaped(tmp_path: Path) -> None:
    """The project and the member name are Amplitude's, and may be those of an attacker."""
    moment = datetime(2026, 3, 4, 5, tzinfo=timezone.utc)
    store = Store(parse_destination(str(tmp_path / "landed")), StoreLimits(), create=True)
    manifest: Manifest | None = None
    counts = []
    with archive_of({"7\x1b/7\x1b_2026-03-04_5#1.json.gz": gzip.compress(b"{}\n")}) as archive:
        for _ in range(2):
            sizes = {path.name: path.stat().st_size for path in (tmp_path / "landed").rglob("*.gz")}
            found = FoundHour(hour_window(moment), manifest, sizes, is_recheck=False)
            result = HourWriter(store, Raw(), found, moment, lambda: None).write(archive, list(archive.members))
            manifest = result.manifest
            counts.append((result.objects.written, result.objects.unchanged))

    assert manifest is not None
    (landed,) = manifest.objects
    assert (manifest.project, landed.member) == ("7\\x1b", "7\\x1b/7\\x1b_2026-03-04_5#1.json.gz")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", landed.name)
    assert counts == [(1, 0), (0, 1)]
