"""An object store or a folder: the operations that landing needs, with the connector's errors.

Writes of objects are atomic; an object counts as written once the store has returned its etag. A manifest is replaced
only if it is still the one that was read: with conditional writes, in a folder with a lock. obstore retries requests
within `StoreLimits`; a request that is still running some seconds after the user asked to stop is left.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import tenacity

from source_amplitude.api.redaction import without_controls
from source_amplitude.clock import result_unless
from source_amplitude.distribution import install_command
from source_amplitude.errors import (
    AmplitudeError,
    InvalidConfigError,
    MissingExtraError,
    StoreDeniedError,
    StoreError,
)
from source_amplitude.landing.conditions import ConditionalWriter, Content
from source_amplitude.landing.credentials import allows_http, names_in_use, store_credentials
from source_amplitude.landing.folder_lock import FolderLock
from source_amplitude.landing.layout import MANIFEST_FOLDER
from source_amplitude.landing.store_errors import ended_early, is_panic, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obstore.store import ObjectStore

    from source_amplitude.landing.destination import Destination, StoreLimits

T = TypeVar("T")

_PART_BYTES = 8 * 1024 * 1024
_LARGE_AT_ONCE = 2  # each holds parts in memory; more would not be faster on a slow connection
_MOST_CONFLICTS = 20
_READ_ATTEMPTS = 4


class Store:
    """The store of a destination; safe to use from several threads.

    Args:
        create: Whether to create a missing folder.
        stop: Once set, a wait for the lock of a folder ends with a StoppedError, and a request to a store after
            ``StoreLimits.stop_seconds``.

    Every method raises StoreDeniedError (credentials, no such bucket), DiskFullError (a folder's disk) or StoreError
    (any other failure, after retries).
    """

    def __init__(
        self, destination: Destination, limits: StoreLimits, *, create: bool, stop: threading.Event | None = None
    ) -> None:
        self.destination = destination
        self._stop = stop or threading.Event()
        self._stop_seconds = limits.stop_seconds
        self._store = _open_destination(destination, limits, create=create)
        no_retries = replace(limits, max_retries=0)
        self._writer = ConditionalWriter(
            destination, self._store, lambda: _open_destination(destination, no_retries, create=False), self.get
        )
        self._large = threading.BoundedSemaphore(_LARGE_AT_ONCE)
        folder = destination.folder
        self._folder_lock = FolderLock(folder / MANIFEST_FOLDER / ".lock", limits, self._stop) if folder else None

    def put(self, path: str, body: IO[bytes], object_bytes: int) -> str:
        """Write an object atomically, replacing an existing one; return its etag."""
        import obstore  # noqa: PLC0415 - installed only with the extra [land]

        with self._errors(f"writing {path}"):
            if object_bytes <= _PART_BYTES:
                whole = body.read()
                result = self._send(lambda: obstore.put(self._store, path, whole, use_multipart=False))
            else:
                with self._large:
                    parts = iter(lambda: body.read(_PART_BYTES), b"")
                    result = self._send(
                        lambda: obstore.put(self._store, path, parts, chunk_size=_PART_BYTES, max_concurrency=2)
                    )
            etag = result["e_tag"] or self._send(lambda: obstore.head(self._store, path))["e_tag"]
        if not etag:
            raise StoreError(f"{self.destination} did not return an etag for {path}.")
        return _plain(etag)

    def get(self, path: str) -> Content | None:
        """Return an object, or None if it does not exist."""
        import obstore  # noqa: PLC0415 - as in `put`

        def read() -> Content:
            result = obstore.get(self._store, path)
            version = {"e_tag": result.meta["e_tag"], "version": result.meta["version"]}
            return Content(bytes(result.bytes()), {name: value for name, value in version.items() if value})

        with self._errors(f"reading {path}"):
            try:
                return self._send(lambda: _whole(read))
            except FileNotFoundError:
                return None

    def etag(self, path: str) -> str | None:
        """Return an object's current etag, or None if it does not exist."""
        import obstore  # noqa: PLC0415 - as in `put`

        with self._errors(f"reading {path}"):
            try:
                return _plain(self._send(lambda: obstore.head(self._store, path))["e_tag"] or "")
            except FileNotFoundError:
                return None

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size in bytes of every object below ``folder``, by path."""
        import obstore  # noqa: PLC0415 - as in `put`

        def read() -> dict[str, int]:
            return {each["path"]: each["size"] for chunk in obstore.list(self._store, folder) for each in chunk}

        with self._errors(f"listing {folder}"):
            try:
                return self._send(lambda: _whole(read))
            except FileNotFoundError:
                if self.destination.scheme == "file":
                    return {}
                raise

    def update(self, path: str, change: Callable[[bytes | None], bytes], *, seems_new: bool = False) -> None:
        """Replace an object with the result of ``change``; repeat if another writer has changed it in between.

        Args:
            change: Takes the current bytes, or None, and returns the new ones; equal bytes are not written.
            seems_new: Whether to write without reading first, which saves a request if the object does not exist.
        """
        for attempt in range(_MOST_CONFLICTS):
            with self._lock():
                is_blind = seems_new and attempt == 0 and self.destination.folder is None
                before = None if is_blind else self.get(path)
                after = change(before.body if before else None)
                if (before and before.body == after) or self._replace(path, before, after):
                    return
        raise StoreError(f"Other programs kept changing {path}. It was not written.")

    def _replace(self, path: str, before: Content | None, after: bytes) -> bool:
        import obstore  # noqa: PLC0415 - as in `put`

        with self._errors(f"writing {path}"):
            if self.destination.scheme == "file":  # under the lock
                obstore.put(self._store, path, after)
                return True
            return self._send(lambda: self._writer.replace(path, before, after))

    def _send(self, request: Callable[[], T]) -> T:
        """Return the result of a request; raise a StoppedError if it does not end soon after the stop event.

        obstore's own retries cannot be interrupted. Writes are atomic, so a request that is left does no harm.
        """
        if self.destination.folder is not None:
            return request()  # does not wait, and a lock must not be released before its write has ended
        return result_unless(self._stop, request, seconds_to_end=self._stop_seconds)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        if self._folder_lock is None:
            yield
            return
        with self._errors("locking the folder"), self._folder_lock.held():
            yield

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - as in `put`

        try:
            yield
        except AmplitudeError:
            raise
        except (BaseError, OSError, NotImplementedError, ValueError) as error:
            raise translated(error, self.destination, doing) from None
        except BaseException as error:
            if not is_panic(error):
                raise
            raise translated(error, self.destination, doing) from None


def _plain(etag: str) -> str:
    """Return an etag as manifests contain it."""
    return without_controls(etag.strip('"'))


def _whole(read: Callable[[], T]) -> T:
    """Return the result of ``read``; retry if a response ends early."""
    retry = tenacity.Retrying(
        retry=tenacity.retry_if_exception(ended_early), stop=tenacity.stop_after_attempt(_READ_ATTEMPTS), reraise=True
    )
    return retry(read)


def require_land_extra() -> None:
    """Raise a MissingExtraError, with the command that installs it, if the extra ``[land]`` is missing."""
    if find_spec("obstore") is None:
        raise MissingExtraError(
            "This command needs obstore, which is not installed.",
            next_step=f"Run {install_command('obstore')} and then the command again.",
        )


def _open_destination(destination: Destination, limits: StoreLimits, *, create: bool) -> ObjectStore:
    """Return the store of ``destination``, without sending a request.

    Raises:
        MissingExtraError: A profile needs boto3, which is not installed.
        InvalidConfigError: The credentials in the environment cannot be used.
        StoreDeniedError: The folder does not exist, or cannot be created.
    """
    from obstore.exceptions import BaseError  # noqa: PLC0415 - as in `Store.put`
    from obstore.store import AzureStore, GCSStore, LocalStore, S3Store  # noqa: PLC0415 - as above

    credentials = store_credentials(destination.scheme, os.environ)
    options: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=limits.connect_seconds),
        "timeout": timedelta(seconds=limits.request_seconds),
    }
    if credentials.get("endpoint", "").startswith("http://") or allows_http(destination.scheme, os.environ):
        options["allow_http"] = True
    common: dict[str, Any] = {
        "prefix": destination.prefix or None,
        "client_options": options,
        "retry_config": {
            "max_retries": limits.max_retries,
            "retry_timeout": timedelta(seconds=limits.retry_seconds),
            "backoff": {"init_backoff": timedelta(seconds=limits.first_wait_seconds)},
        },
    }
    try:
        if destination.scheme == "s3":
            return S3Store(destination.bucket, **common, **credentials)
        if destination.scheme == "az":
            return AzureStore(destination.bucket, **common, **credentials)
        if destination.scheme == "gs":
            return GCSStore(destination.bucket, **common)
        return LocalStore(_folder(destination.prefix, create=create))
    except (BaseError, ValueError) as error:
        # The error's text may quote a malformed key.
        names = ", ".join(names_in_use(destination.scheme, os.environ)) or "none"
        raise InvalidConfigError(
            (f"settings of {destination} cannot be used ({type(error).__name__}); variables set: {names}",)
        ) from None


def _folder(path: str, *, create: bool) -> Path:
    folder = Path(path)
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            raise StoreDeniedError(
                f"Folder {folder} does not exist.", next_step="Correct its name, or run land with it first."
            )
    except OSError as error:
        raise StoreDeniedError(f"Folder {folder} cannot be created ({error.strerror}).") from error
    return folder.resolve()
