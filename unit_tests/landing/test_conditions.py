"""Stores without conditional writes: detected once, reported once, and written to safely."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import obstore
import pytest

from unit_tests.landing.program import (
    HOURS,
    at,
    ended,
    manifests_of,
    object_path,
    objects_of,
    oracle,
    states_of,
    stored,
)
from unit_tests.peers.faults import FOREVER, Answer, Do, xml_error

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer

CREATE, REPLACE = "If-None-Match", "If-Match"
FIVE = ("--start", "2026-03-04T05", "--end", "2026-03-04T06")
FIVE_TO_NINE = ("--start", "2026-03-04T05", "--end", "2026-03-04T09")
MANIFEST = "_manifest/date=2026-03-04/hour=05.json"

REFUSALS = {
    "not implemented": (
        Answer(
            501, xml_error("NotImplemented", "A header you provided implies functionality that is not implemented.")
        ),
        "501 Not Implemented: NotImplemented, A header you provided implies functionality that is not implemented",
    ),
    "a page": (Answer(501, "<html>no</html>"), "501 Not Implemented"),
    "not allowed": (Answer(405, xml_error("MethodNotAllowed", "Not allowed.")), "405 Method Not Allowed: MethodNotA"),
    "a bad header": (
        Answer(400, xml_error("InvalidArgument", "Unsupported header 'if-none-match' received for this API call.")),
        "400 Bad Request: InvalidArgument, Unsupported header",
    ),
    "an unknown header": (Answer(400, "Header x-y is not supported"), "400 Bad Request"),
}


def writes(peer: FaultyPeer, path: str) -> int:
    return sum(request.method == "PUT" and path in request.path for request in peer.front.requests)


def warning_of(peer: FaultyPeer, header: str, cause: str) -> str:
    return f"{peer.url} does not support writes with {header} ({cause}"


SAFETY = (
    "Manifests are read before and after each write instead. Run only one land command at a time: two could overwrite "
    "each other's manifests."
)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_unsupported_create_costs_one_write_and_one_warning(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer, refusal: str
) -> None:
    answer, cause = REFUSALS[refusal]
    faulty_s3.front.inject(answer, method="PUT", header=CREATE, times=FOREVER)

    landed = program.land(faulty_s3, *FIVE_TO_NINE)

    members = oracle(half_a_day.store, at(5), at(9))
    assert landed.exit_code == 0, landed.stderr
    assert [line[: len(warning_of(faulty_s3, CREATE, cause))] for line in landed.warnings] == [
        warning_of(faulty_s3, CREATE, cause)
    ]
    assert landed.warnings[0].endswith(SAFETY)
    assert (writes(faulty_s3, "events/"), writes(faulty_s3, "_manifest/")) == (len(members), 5 + 1)
    assert objects_of(stored(faulty_s3)) == members
    assert states_of(stored(faulty_s3)) == dict.fromkeys(("05", "06", "07", "08"), "done")


def test_unsupported_replace_is_done_between_two_reads(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer
) -> None:
    program.land(faulty_s3, *FIVE_TO_NINE)
    for hour in (5, 6, 7, 8):
        half_a_day.store.add_member(at(hour), [{"uuid": "late"}], partition=9000)
    answer, cause = REFUSALS["not implemented"]
    faulty_s3.front.inject(answer, method="PUT", header=REPLACE, times=FOREVER)
    before = writes(faulty_s3, "_manifest/")

    landed = program.land(faulty_s3, *FIVE_TO_NINE)

    warnings = [line for line in landed.warnings if "does not support" in line]
    assert landed.exit_code == 0, landed.stderr
    assert [line.partition(")")[0] for line in warnings] == [warning_of(faulty_s3, REPLACE, cause)]
    assert writes(faulty_s3, "_manifest/") - before == 4 + 1
    assert objects_of(stored(faulty_s3)) == oracle(half_a_day.store, at(5), at(9))
    assert program.missing(faulty_s3, *FIVE_TO_NINE).exit_code == 0


def test_each_condition_is_detected_separately(half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer) -> None:
    program.land(faulty_s3, *FIVE)
    half_a_day.store.add_member(at(5), [{"uuid": "late"}], partition=9000)
    faulty_s3.front.inject(REFUSALS["a page"][0], method="PUT", header=CREATE, times=FOREVER)
    faulty_s3.front.inject(REFUSALS["not allowed"][0], method="PUT", header=REPLACE, times=FOREVER)

    landed = program.land(faulty_s3, *FIVE_TO_NINE)

    headers = sorted(
        line.partition(" writes with ")[2].partition(" ")[0] for line in landed.warnings if "support" in line
    )
    assert (landed.exit_code, headers) == (0, [REPLACE, CREATE])
    assert states_of(stored(faulty_s3)) == dict.fromkeys(("05", "06", "07", "08"), "done")


@pytest.mark.parametrize("skip", [0, 1], ids=["before the last read", "after it"])
def test_concurrent_change_is_noticed_without_conditions(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer, skip: int
) -> None:
    """Another run writes its manifest just before or just after ours: the reads around the write notice it."""
    program.land(faulty_s3, *FIVE)
    half_a_day.store.add_member(at(5), [{"uuid": "late"}], partition=9000)
    theirs = manifests_of(stored(faulty_s3))["2026-03-04T05"]
    extra = theirs["objects"][0] | {"name": "theirs.json.gz", "member": "theirs", "bytes": 1}
    store, written = faulty_s3.store(), []
    faulty_s3.front.inject(REFUSALS["a page"][0], method="PUT", header=REPLACE, times=FOREVER)

    def write_theirs() -> None:
        obstore.put(store, f"events/date=2026-03-04/hour=05/{extra['name']}", b"x")
        body = json.dumps(theirs | {"objects": [*theirs["objects"], extra]}).encode()
        written.append(obstore.put(store, MANIFEST, body)["e_tag"])

    # The manifest is read at the start, before the change, just before the write and just after it.
    faulty_s3.front.inject(Do(write_theirs), method="GET", path=f"^/[^?]*{MANIFEST}", skip=2 + skip)
    landed = program.land(faulty_s3, *FIVE)

    names = [each["name"] for each in manifests_of(stored(faulty_s3))["2026-03-04T05"]["objects"]]
    expected = [object_path(each).rpartition("/")[2] for each in half_a_day.store.members(at(5), at(6))]
    assert landed.exit_code == 0, landed.stderr
    assert len(written) == 1
    assert names == sorted([*expected, "theirs.json.gz"])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, xml_error("InvalidRequest", "The request is not valid.")),
        Answer(400, xml_error("EntityTooLarge", "Too large.")),
    ],
)
@pytest.mark.usefixtures("half_a_day")
def test_other_refusals_are_errors(program: Program, faulty_s3: FaultyPeer, answer: Answer) -> None:
    faulty_s3.front.inject(answer, method="PUT", path="_manifest", times=FOREVER)

    landed = program.land(faulty_s3, *FIVE)

    assert landed.exit_code == 1
    assert landed.problem.startswith(f"{faulty_s3.url} failed while writing _manifest/place.json (400 Bad Request: ")
    assert states_of(stored(faulty_s3)) == {}


@pytest.mark.usefixtures("half_a_day")
def test_refusal_of_every_manifest_write_is_an_error(program: Program, faulty_s3: FaultyPeer) -> None:
    faulty_s3.front.inject(REFUSALS["not allowed"][0], method="PUT", path="_manifest", times=FOREVER)

    landed = program.land(faulty_s3, *FIVE)

    assert (landed.exit_code, landed.warnings) == (1, [])
    assert "405 Method Not Allowed" in landed.problem


@pytest.mark.usefixtures("half_a_day")
def test_first_conditional_write_is_retried_if_the_store_is_busy(program: Program, faulty_s3: FaultyPeer) -> None:
    faulty_s3.front.inject(Answer(503, xml_error("SlowDown", "Slow down.")), method="PUT", header=CREATE, times=3)

    landed = program.land(faulty_s3, *FIVE)

    assert (landed.exit_code, landed.warnings) == (0, [])
    assert writes(faulty_s3, "_manifest/") == 4 + 1


def test_next_run_completes_two_runs_without_conditions(
    half_a_day: Emulator, program: Program, faulty_s3: FaultyPeer
) -> None:
    for header in (CREATE, REPLACE):
        faulty_s3.front.inject(REFUSALS["a page"][0], method="PUT", header=header, times=FOREVER)

    codes = [ended(run).exit_code for run in [program.start(faulty_s3, *HOURS), program.start(faulty_s3, *HOURS)]]
    rest = program.land(faulty_s3, *HOURS, "--only-missing")

    assert (set(codes) <= {0, 1}, rest.exit_code) == (True, 0), rest.stderr
    assert objects_of(stored(faulty_s3)) == oracle(half_a_day.store)
    assert program.missing(faulty_s3).exit_code == 0
