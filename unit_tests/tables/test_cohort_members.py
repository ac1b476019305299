"""The members of cohorts: the steps of a download, quotas and new computations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airbyte_cdk.models import AirbyteStateBlob

from amplitude_emulator import Cohort, CohortMember
from unit_tests.airbyte.streams.host import QUICK
from unit_tests.airbyte.streams.rest_host import Failure, Project

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import RestSync, Row

STREAM = "cohort_members"
MEMBERS = (
    CohortMember(1263130950579, "user-1", {"plan": "pro", "city": 'say "hi", twice'}),
    CohortMember(1263130950580, None, {"city": "two\nlines"}),
)
COMPUTED = "2026-03-01T06:00:00+00:00"
COMPUTED_SECONDS = 1772344800
REQUEST = "/us/api/5/cohorts/request/k3x9ab2"


@pytest.fixture(autouse=True)
def cohorts(project: Project) -> None:
    """Two cohorts of two members."""
    project.content.cohorts.replace_all(Cohort(each, each, MEMBERS) for each in ("k3x9ab2", "b2b2b2b"))


def rows(cohort_id: str = "k3x9ab2", computed_at: str = COMPUTED, **properties: tuple[str, str]) -> list[Row]:
    """Return the rows of both members; a property has one value per member."""
    return [
        {
            "cohort_id": cohort_id,
            "amplitude_id": member.amplitude_id,
            **({"user_id": member.user_id} if member.user_id else {}),
            "properties": {name: values[place] for name, values in properties.items()},
            "computed_at": computed_at,
        }
        for place, member in enumerate(MEMBERS)
    ]


def sync(project: Project, *ids: str, state: object = None, **changes: object) -> RestSync:
    return project.sync(STREAM, state=state, cohort_ids=list(ids or ["k3x9ab2"]), **changes)


def downloads(project: Project) -> list[str]:
    """Return the requested downloads, which count against the quota."""
    return [each.path.rpartition("/")[2] for each in project.asked("/cohorts/request/") if "/file" not in each.path]


def test_a_cohort_is_requested_polled_and_downloaded(project: Project) -> None:
    read = sync(project)

    kinds = [path.replace(project.paths()[-1].split("/")[-2], "ID") for path in project.paths()]
    assert read.records[STREAM] == rows()
    assert read.state() == {STREAM: {"computed_at": COMPUTED, "cohorts": {"k3x9ab2": COMPUTED_SECONDS}}}
    assert kinds == [
        "/us/api/3/cohorts",
        "/us/api/3/cohorts/usage",
        REQUEST,
        "/us/api/5/cohorts/request-status/ID",
        "/us/api/5/cohorts/request-status/ID",
        "/us/api/5/cohorts/request/ID/file",
    ]


@pytest.mark.parametrize("packing", ["plain", "gzip", "content_encoding"])
@pytest.mark.parametrize("inline_bytes", [1_000_000, -1])
@pytest.mark.parametrize("prefix", ["", "gp:"])
def test_every_form_of_the_file_gives_the_same_rows(
    project: Project, packing: str, inline_bytes: int, prefix: str
) -> None:
    project.set(cohort_packing=packing, cohort_inline_bytes=inline_bytes, cohort_property_prefix=prefix)

    read = sync(project, cohort_properties=["plan", "gp:city"])

    expected = rows(plan=("pro", ""), city=('say "hi", twice', "two\nlines"))
    assert (read.records[STREAM], read.failures) == (expected, {})


def test_the_storage_gets_no_authorization_and_the_link_is_fresh(project: Project) -> None:
    project.set(cohort_inline_bytes=-1, cohort_pending_polls=30)

    read = sync(project)

    # The storage rejects a request with an Authorization header (400), and any request after a minute (403).
    assert (read.records[STREAM], read.failures) == (rows(), {})
    assert {request.status for request in project.asked()} == {200, 202, 302}


def test_an_expired_link_is_renewed(project: Project) -> None:
    project.set(cohort_inline_bytes=-1)
    project.emulator.faults.add("server_error", status=403, path="/_storage/", times=1)

    read = sync(project)

    assert (read.records[STREAM], downloads(project)) == (rows(), ["k3x9ab2"])


@pytest.mark.parametrize("framing", ["content_length", "chunked"])
@pytest.mark.parametrize("inline_bytes", [1_000_000, -1])
def test_a_truncated_download_is_fetched_again(project: Project, framing: str, inline_bytes: int) -> None:
    project.set(cohort_inline_bytes=inline_bytes)
    path = "/_storage/" if inline_bytes < 0 else "/file"
    project.emulator.faults.add("cut_body", path=path, times=1, framing=framing)

    read = sync(project)

    assert (read.records[STREAM], downloads(project)) == (rows(), ["k3x9ab2"])


def test_truncated_gzip_data_gives_no_row_and_no_state(project: Project) -> None:
    project.set(cohort_packing="gzip")
    project.emulator.faults.add("cut_body", path="/file", framing="close")

    read = sync(project)

    assert (read.records, read.failures[STREAM].error) == ({}, "CorruptArchiveError")
    assert read.failures[STREAM].failure_type == "transient_error"
    assert "cohorts" not in read.state().get(STREAM, {})


def test_a_cohort_is_read_again_only_after_a_new_computation(project: Project) -> None:
    first = sync(project, "k3x9ab2", "b2b2b2b")
    idle = sync(project, "k3x9ab2", "b2b2b2b", state=first.state())
    recomputed = project.content.cohorts.recompute("b2b2b2b", members=MEMBERS[:1]).last_computed
    assert recomputed is not None
    third = sync(project, "k3x9ab2", "b2b2b2b", state=idle.state())
    fourth = sync(project, "k3x9ab2", "b2b2b2b", state=third.state())

    assert first.records[STREAM] == rows() + rows("b2b2b2b")
    assert (idle.records, idle.statuses) == ({}, {STREAM: "COMPLETE"})
    assert third.records[STREAM] == rows("b2b2b2b", recomputed.isoformat())[:1]
    assert fourth.records == {}
    assert downloads(project) == ["k3x9ab2", "b2b2b2b", "b2b2b2b"]
    assert idle.lines("INFO", STREAM) == [
        f"cohort_members: cohort {each} was not computed since it was read." for each in ("k3x9ab2", "b2b2b2b")
    ]


@pytest.mark.parametrize("packing", ["plain", "gzip"])
@pytest.mark.parametrize("content", ["header", "nothing"])
def test_an_empty_cohort_is_read_once_without_a_warning(project: Project, content: str, packing: str) -> None:
    project.content.cohorts.put(Cohort("k3x9ab2", "Empty", ()))
    project.set(cohort_empty_file=content, cohort_packing=packing)

    read = sync(project, cohort_properties=["plan"])
    idle = sync(project, cohort_properties=["plan"], state=read.state())

    assert (read.records, read.statuses, read.lines("WARN")) == ({}, {STREAM: "COMPLETE"}, [])
    assert read.state()[STREAM]["cohorts"] == {"k3x9ab2": COMPUTED_SECONDS}
    assert (idle.records, downloads(project)) == ({}, ["k3x9ab2"])


@pytest.mark.parametrize("size", [2, None, "0", False])
def test_a_blank_file_is_fetched_again_if_the_list_has_members(project: Project, size: object) -> None:
    project.content.cohorts.put(Cohort("k3x9ab2", "Odd", (), overrides={"size": size}))
    project.set(cohort_empty_file="nothing")

    read = sync(project)

    assert (read.failures[STREAM].error, read.failures[STREAM].failure_type) == (
        "CorruptArchiveError",
        "transient_error",
    )
    assert "cohorts" not in read.state().get(STREAM, {})
    assert (downloads(project), len(project.asked("/file"))) == (["k3x9ab2"], QUICK.retry.attempts)


def test_a_full_refresh_downloads_every_cohort_again(project: Project) -> None:
    both = [sync(project, mode="full_refresh") for _ in range(2)]

    assert [read.records[STREAM] for read in both] == [rows(), rows()]


def test_an_unexpected_number_of_members_is_a_warning(project: Project) -> None:
    project.content.cohorts.put(Cohort("k3x9ab2", "Odd", MEMBERS, overrides={"size": 500}))

    read = sync(project, cohort_properties=["plan"])

    assert read.records[STREAM] == rows(plan=("pro", ""))
    assert read.lines("WARN") == [
        "cohort_members: cohort k3x9ab2 has 2 members in its file, but 500 in the list of cohorts."
    ]


def test_a_state_with_objects_of_the_platform_is_accepted(project: Project) -> None:
    state = {"computed_at": COMPUTED, "cohorts": AirbyteStateBlob({"k3x9ab2": COMPUTED_SECONDS})}

    read = sync(project, "k3x9ab2", "b2b2b2b", state={STREAM: state})

    assert read.records[STREAM] == rows("b2b2b2b")


def test_an_added_cohort_is_read_and_the_others_are_kept(project: Project) -> None:
    first = sync(project, "k3x9ab2")
    second = sync(project, "b2b2b2b", state=first.state())
    third = sync(project, "k3x9ab2", "b2b2b2b", state=second.state())

    assert second.records[STREAM] == rows("b2b2b2b")
    assert third.records == {}


@pytest.mark.parametrize("garbage", [["k3x9ab2"], "k3x9ab2", 7])
def test_an_unknown_state_is_an_error(project: Project, garbage: object) -> None:
    read = sync(project, state={STREAM: {"computed_at": COMPUTED, "cohorts": garbage}})

    assert (read.failures[STREAM].error, read.failures[STREAM].failure_type) == ("InvalidStateError", "config_error")
    assert downloads(project) == []


def test_a_cohort_is_not_downloaded_before_it_is_computed(project: Project) -> None:
    project.content.cohorts.put(Cohort("future0", "Later", MEMBERS, last_computed=None))

    read = sync(project, "future0")
    project.content.cohorts.recompute("future0")
    later = sync(project, "future0", state=read.state())

    assert (read.records, read.statuses) == ({}, {STREAM: "COMPLETE"})
    assert read.lines("INFO", STREAM) == ["cohort_members: cohort future0 was never computed."]
    assert later.records[STREAM] == rows("future0", "2026-03-04T12:00:00+00:00")


@pytest.mark.parametrize("is_published", [True, False])
def test_a_missing_cohort_is_reported_by_its_id(project: Project, is_published: bool) -> None:  # noqa: FBT001
    if not is_published:
        project.content.cohorts.put(Cohort("unknown", "Hidden", MEMBERS, is_published=False))

    read = sync(project, "unknown", "k3x9ab2")

    assert read.records[STREAM] == rows()
    assert read.state()[STREAM]["cohorts"] == {"k3x9ab2": COMPUTED_SECONDS}
    assert read.failures[STREAM] == Failure(
        "NotFoundError",
        "config_error",
        "The project has no published cohort unknown (cohort_ids). If a setting contains its id, correct or remove "
        "the id; else deselect the stream. The other streams are not affected.",
    )


def test_the_monthly_quota_ends_the_stream_and_keeps_downloads(project: Project) -> None:
    project.set(cohort_downloads_a_month=1)

    read = sync(project, "k3x9ab2", "b2b2b2b")
    project.set(cohort_downloads_a_month=2)
    next_month = sync(project, "k3x9ab2", "b2b2b2b", state=read.state())

    assert (read.records[STREAM], next_month.records[STREAM]) == (rows(), rows("b2b2b2b"))
    assert downloads(project) == ["k3x9ab2", "b2b2b2b"]
    assert {request.status for request in project.asked()} == {200, 202}
    assert read.failures[STREAM] == Failure(
        "QuotaUsedUpError",
        "config_error",
        "1 of 1 cohort downloads of this month are used up (reset: 2026-04-01T00:00:00+00:00). Cohort b2b2b2b was not "
        "downloaded. Wait for the next month, shorten cohort_ids, or sync the stream less often. Downloaded cohorts "
        "are recorded.",
    )


def test_a_project_without_the_usage_api_is_read(project: Project) -> None:
    project.emulator.faults.add("bad_request", status=404, path="/api/3/cohorts/usage")

    read = sync(project)

    assert (read.records[STREAM], read.failures) == (rows(), {})


def test_many_cohorts_respect_the_download_rate_limits(project: Project) -> None:
    ids = [f"cohort{number:02}" for number in range(65)]
    project.content.cohorts.replace_all(Cohort(each, each, MEMBERS[:1]) for each in ids)
    project.set(cohort_pending_polls=0)

    read = sync(project, *ids)

    assert [row["cohort_id"] for row in read.records[STREAM]] == ids
    assert {request.status for request in project.asked()} == {200, 202}
    moments = [each.at for each in project.asked("/api/5/cohorts/request/cohort")]
    assert all((later - sooner).total_seconds() >= 60 for sooner, later in zip(moments, moments[4:], strict=False))
    assert all((later - sooner).total_seconds() >= 600 for sooner, later in zip(moments, moments[60:], strict=False))


def test_only_the_configured_properties_are_requested(project: Project) -> None:
    sync(project)
    sync(project, cohort_properties=["plan"])

    asked = [dict(each.query) for each in project.asked(REQUEST) if each.query]
    assert asked == [{"props": "0"}, {"props": "1", "propKeys": "plan"}]


def test_polling_a_download_ends_after_half_an_hour(project: Project) -> None:
    project.set(cohort_pending_polls=1_000_000)

    read = sync(project)

    assert sum(project.clock.sleeps) == 1800
    assert (read.records, read.failures[STREAM].error) == ({}, "NotReadyError")
    assert read.failures[STREAM].failure_type == "transient_error"


def test_sigterm_ends_the_polling(project: Project) -> None:
    project.set(cohort_pending_polls=1_000_000)
    project.clock.on_advance = project.stop

    read = project.sync(STREAM, "active_users", cohort_ids=["k3x9ab2"])

    assert len(project.clock.sleeps) == 1
    assert (read.failures[STREAM].error, read.statuses) == ("StoppedError", {STREAM: "INCOMPLETE"})


@pytest.mark.parametrize("seconds", ["2026-03-01T06:00:00Z", True, 10**17])
def test_an_invalid_computation_time_is_an_error(project: Project, seconds: object) -> None:
    project.content.cohorts.put(Cohort("k3x9ab2", "Odd", MEMBERS, overrides={"lastComputed": seconds}))

    read = sync(project)

    assert (read.failures[STREAM].error, downloads(project)) == ("UnknownShapeError", [])


@pytest.mark.parametrize("body", [{}, [], {"request_id": ""}, {"request_id": 7}])
def test_a_response_without_a_request_id_is_an_error(project: Project, body: object) -> None:
    project.emulator.faults.add("json", path=REQUEST, body=body, status=202)

    read = sync(project)

    assert (read.failures[STREAM].error, read.records) == ("UnknownShapeError", {})


def test_a_429_is_retried_and_a_missing_plan_is_an_error(project: Project) -> None:
    project.emulator.faults.add("too_many_requests", path=REQUEST, times=1)
    waited = sync(project)
    project.set(missing_in_plan=("cohorts",))
    refused = sync(project)

    assert waited.records[STREAM] == rows()
    assert (refused.failures[STREAM].error, refused.failures[STREAM].failure_type) == ("NotInPlanError", "config_error")
    assert "(HTTP 403: Cohorts is not included in your current plan)" in refused.failures[STREAM].message


def test_without_cohorts_the_stream_completes_without_requests(project: Project) -> None:
    read = project.sync(STREAM)

    assert read.statuses == {STREAM: "COMPLETE"}
    assert read.lines("INFO", STREAM) == ["cohort_members: cohort_ids is empty, so there is nothing to read."]
    assert (read.records, project.emulator.requests) == ({}, [])
