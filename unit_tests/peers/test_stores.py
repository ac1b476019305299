"""Each peer supports the store operations that the connector uses through obstore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import from_url

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import ObjectStore

    from unit_tests.peers.peer import Peer

TWELVE_MB = bytes(12_000_000)


def content_of(store: ObjectStore, path: str) -> bytes:
    return bytes(obstore.get(store, path).bytes())


def sizes_in(store: ObjectStore, prefix: str | None = None) -> dict[str, int]:
    return {found["path"]: found["size"] for found in obstore.list(store, prefix).collect()}


def if_unchanged(store: ObjectStore, path: str) -> PutMode:
    """Return the put mode that replaces only the current version of an object."""
    return {"e_tag": obstore.head(store, path)["e_tag"] or ""}


def test_new_store_is_empty(every_store: Peer) -> None:
    assert sizes_in(every_store.store()) == {}


def test_object_can_be_read_and_listed(every_store: Peer) -> None:
    store = every_store.store()

    obstore.put(store, "date=2026-03-04/hour=09.json", b"nine")
    obstore.put(store, "date=2026-03-05/hour=10.json", b"eleven")

    assert content_of(store, "date=2026-03-04/hour=09.json") == b"nine"
    assert obstore.head(store, "date=2026-03-04/hour=09.json")["size"] == 4
    assert sizes_in(store) == {"date=2026-03-04/hour=09.json": 4, "date=2026-03-05/hour=10.json": 6}
    assert sizes_in(store, "date=2026-03-05") == {"date=2026-03-05/hour=10.json": 6}


def test_deleted_object_is_missing(every_store: Peer) -> None:
    store = every_store.store()
    obstore.put(store, "a", b"1")

    obstore.delete(store, "a")

    assert sizes_in(store) == {}
    with pytest.raises(FileNotFoundError):
        obstore.head(store, "a")


def test_create_does_not_overwrite(every_store: Peer) -> None:
    store = every_store.store()
    obstore.put(store, "a", b"first", mode="create")

    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "a", b"second", mode="create")

    assert content_of(store, "a") == b"first"


def test_multipart_upload(every_store: Peer) -> None:
    store = every_store.store()

    obstore.put(store, "a", TWELVE_MB, use_multipart=True, chunk_size=5 * 1024 * 1024)

    assert content_of(store, "a") == TWELVE_MB


def test_conditional_write_replaces_the_same_version(every_cloud: Peer) -> None:
    store = every_cloud.store()
    obstore.put(store, "a", b"first")

    obstore.put(store, "a", b"second", mode=if_unchanged(store, "a"))

    assert content_of(store, "a") == b"second"


def test_conditional_write_keeps_a_newer_version(every_cloud: Peer) -> None:
    store = every_cloud.store()
    obstore.put(store, "a", b"first")
    stale = if_unchanged(store, "a")
    obstore.put(store, "a", b"second")

    with pytest.raises(PreconditionError):
        obstore.put(store, "a", b"third", mode=stale)

    assert content_of(store, "a") == b"second"


def test_conditional_write_fails_for_a_deleted_object(every_cloud: Peer) -> None:
    store = every_cloud.store()
    obstore.put(store, "a", b"first")
    stale = if_unchanged(store, "a")
    obstore.delete(store, "a")

    with pytest.raises(PreconditionError):
        obstore.put(store, "a", b"second", mode=stale)

    assert sizes_in(store) == {}


def test_folder_has_no_conditional_writes(folder: Peer) -> None:
    store = folder.store()
    obstore.put(store, "a", b"first")

    with pytest.raises(NotImplementedError):
        obstore.put(store, "a", b"second", mode=if_unchanged(store, "a"))


def test_obstore_finds_the_store_by_the_environment(every_cloud: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in every_cloud.environ.items():
        monkeypatch.setenv(name, value)

    obstore.put(from_url(every_cloud.url), "a", b"1")

    assert content_of(every_cloud.store(), "a") == b"1"
