"""The front forwards requests unchanged, and applies each fault as documented."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, GenericError, PermissionDeniedError

from unit_tests.peers.faults import (
    AZURE_NOT_AUTHORIZED,
    AZURE_SERVER_BUSY,
    FOREVER,
    S3_ACCESS_DENIED,
    S3_SLOW_DOWN,
    Answer,
    CutAnswer,
    CutRequest,
    Do,
    LoseAnswer,
    Wait,
)
from unit_tests.peers.front import Request

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

    from unit_tests.peers.peer import FaultyPeer

A = Request("PUT", "/landed/raw/a")
MEGABYTE = bytes(range(250)) * 4000


def fast_retries(max_retries: int = 3) -> RetryConfig:
    return {
        "max_retries": max_retries,
        "backoff": {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=5), "base": 2},
        "retry_timeout": timedelta(seconds=30),
    }


def content_of(store: ObjectStore, path: str) -> bytes:
    return bytes(obstore.get(store, path).bytes())


def test_store_works_through_a_front(every_faulty_cloud: FaultyPeer) -> None:
    store = every_faulty_cloud.store()

    obstore.put(store, "date=2026-03-04/a", MEGABYTE)
    obstore.put(store, "parts", MEGABYTE * 6, use_multipart=True, chunk_size=5 * 1024 * 1024)
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "parts", b"", mode="create")
    found = obstore.list(store).collect()
    size = obstore.head(store, "parts")["size"]

    assert content_of(store, "date=2026-03-04/a") == MEGABYTE
    assert [(entry["path"], entry["size"]) for entry in found] == [("date=2026-03-04/a", 1000000), ("parts", 6000000)]
    assert size == 6_000_000
    assert every_faulty_cloud.front.requests[0] == Request("PUT", "/landed/raw/date=2026-03-04/a")


@pytest.mark.parametrize("busy", [S3_SLOW_DOWN, AZURE_SERVER_BUSY])
def test_busy_store_is_retried(every_faulty_cloud: FaultyPeer, busy: Answer) -> None:
    front = every_faulty_cloud.front
    front.inject(Answer(busy.status, busy.body), method="PUT", path=r"/a$", times=2)
    store = every_faulty_cloud.store(retry_config=fast_retries())

    obstore.put(store, "a", b"1")

    assert front.requests == [A, A, A]
    assert content_of(store, "a") == b"1"


def test_store_that_stays_busy_fails_the_request(every_faulty_cloud: FaultyPeer) -> None:
    front = every_faulty_cloud.front
    front.inject(S3_SLOW_DOWN, times=FOREVER)
    store = every_faulty_cloud.store(retry_config=fast_retries(max_retries=2))

    with pytest.raises(GenericError):
        obstore.put(store, "a", b"1")

    assert front.requests == [A, A, A]


@pytest.mark.parametrize("denied", [S3_ACCESS_DENIED, AZURE_NOT_AUTHORIZED])
def test_denied_request_is_not_retried(every_faulty_cloud: FaultyPeer, denied: Answer) -> None:
    front = every_faulty_cloud.front
    front.inject(denied)
    store = every_faulty_cloud.store(retry_config=fast_retries())

    with pytest.raises(PermissionDeniedError):
        obstore.put(store, "a", b"1")

    assert front.requests == [A]


def test_faults_apply_to_matching_requests_after_skip(every_faulty_cloud: FaultyPeer) -> None:
    front = every_faulty_cloud.front
    front.inject(S3_ACCESS_DENIED, method="PUT", path=r"/b", skip=1)
    store = every_faulty_cloud.store()
    obstore.put(store, "a", b"1")
    obstore.put(store, "b1", b"1")

    with pytest.raises(PermissionDeniedError):
        obstore.put(store, "b2", b"1")
    obstore.put(store, "b2", b"2")

    assert content_of(store, "b2") == b"2"


def test_faults_apply_to_requests_with_a_header(faulty_s3: FaultyPeer) -> None:
    faulty_s3.front.inject(S3_ACCESS_DENIED, header="If-None-Match")
    store = faulty_s3.store()
    obstore.put(store, "a", b"1")

    with pytest.raises(PermissionDeniedError):
        obstore.put(store, "b", b"1", mode="create")

    assert [entry["path"] for entry in obstore.list(store).collect()] == ["a"]


def test_clear_removes_all_faults(every_faulty_cloud: FaultyPeer) -> None:
    every_faulty_cloud.front.inject(S3_ACCESS_DENIED, times=FOREVER)

    every_faulty_cloud.front.clear()

    obstore.put(every_faulty_cloud.store(), "a", b"1")


def test_cut_request_does_not_reach_the_store(every_faulty_cloud: FaultyPeer) -> None:
    every_faulty_cloud.front.inject(CutRequest(after=300_000), method="PUT", times=FOREVER)
    store = every_faulty_cloud.store(retry_config=fast_retries(max_retries=1))

    with pytest.raises(GenericError):
        obstore.put(store, "a", MEGABYTE)

    assert obstore.list(store).collect() == []


def test_lost_response_leaves_the_object(every_faulty_cloud: FaultyPeer) -> None:
    every_faulty_cloud.front.inject(LoseAnswer(), method="PUT")
    store = every_faulty_cloud.store(retry_config=fast_retries(max_retries=0))

    with pytest.raises(GenericError):
        obstore.put(store, "a", b"1")

    assert content_of(store, "a") == b"1"


def test_cut_response_is_an_error(every_faulty_cloud: FaultyPeer) -> None:
    store = every_faulty_cloud.store(retry_config=fast_retries(max_retries=0))
    obstore.put(store, "a", MEGABYTE)
    every_faulty_cloud.front.inject(CutAnswer(after=300_000), method="GET", times=FOREVER)

    with pytest.raises(GenericError):
        content_of(store, "a")


def test_client_waits_for_a_slow_store(every_faulty_cloud: FaultyPeer) -> None:
    every_faulty_cloud.front.inject(Wait(0.2), method="PUT")
    started = perf_counter()

    obstore.put(every_faulty_cloud.store(), "a", b"1")

    assert perf_counter() - started >= 0.2


def test_another_writer_can_intervene(every_faulty_cloud: FaultyPeer) -> None:
    store = every_faulty_cloud.store()
    every_faulty_cloud.front.inject(Do(lambda: obstore.put(store, "a", b"theirs")), method="PUT")

    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "a", b"ours", mode="create")

    assert content_of(store, "a") == b"theirs"


def test_retried_creation_fails_with_already_exists(
    every_faulty_cloud: FaultyPeer,
) -> None:
    front = every_faulty_cloud.front
    front.inject(LoseAnswer(), method="PUT")
    store = every_faulty_cloud.store(retry_config=fast_retries())

    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "a", b"ours", mode="create")

    assert front.requests == [A, A]
    assert content_of(store, "a") == b"ours"
