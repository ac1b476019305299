"""An object store or a folder, with what landing needs of it and our errors in place of its own."""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from source_amplitude.errors import AmplitudeError, DiskFullError, StoreDeniedError, StoreError
from source_amplitude.landing.manifest import MANIFEST_FOLDER
from source_amplitude.landing.place import open_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from source_amplitude.landing.place import Place, StoreSettings

_PART_BYTES = 8 * 1024 * 1024
_MOST_CONFLICTS = 20
_MAX_SHOWN_CHARS = 300
_MASK = "****"
_SECRET_VARIABLES = re.compile(r"(KEY|SECRET|TOKEN|SAS|PASSWORD|CONNECTION_STRING)")
_SHORTEST_SECRET_CHARS = 8


@dataclass(frozen=True)
class Content:
    """An object's bytes and which version of it they are."""

    body: bytes
    version: Mapping[str, Any]


class Store:
    """The place that hours are landed in; safe to use from several threads.

    Args:
        place: Where it is.
        settings: Bounds of waiting and retrying.
        create: Whether to make a folder that is not there.

    Attributes:
        place: As above.

    Every method raises StoreDeniedError (credentials, no such bucket), DiskFullError (a folder's disk) or
    StoreError (anything else, after the store's own retries).
    """

    def __init__(self, place: Place, settings: StoreSettings, *, create: bool) -> None:
        self.place = place
        self._store = open_place(place, settings, create=create)
        self._threads = threading.Lock()  # a FileLock that is taken sleeps for 50 ms

    def put(self, path: str, body: IO[bytes], object_bytes: int) -> str:
        """Write an object, whole or not at all, over whatever is there; return the etag it was confirmed with."""
        import obstore  # noqa: PLC0415 - installed only with the extra [land]

        with self._errors(f"writing {path}"):
            if object_bytes <= _PART_BYTES:
                result = obstore.put(self._store, path, body.read(), use_multipart=False)
            else:
                parts = iter(lambda: body.read(_PART_BYTES), b"")
                result = obstore.put(self._store, path, parts, chunk_size=_PART_BYTES, max_concurrency=2)
            etag = result["e_tag"] or obstore.head(self._store, path)["e_tag"]
        if not etag:
            raise StoreError(f"The store {self.place} did not confirm {path} with an etag.")
        return etag.strip('"')

    def get(self, path: str) -> Content | None:
        """Return an object, or None where there is none."""
        import obstore  # noqa: PLC0415 - as in `put`

        with self._errors(f"reading {path}"):
            try:
                result = obstore.get(self._store, path)
            except FileNotFoundError:
                return None
            meta = result.meta
            version = {"e_tag": meta["e_tag"], "version": meta["version"]}
            return Content(bytes(result.bytes()), {name: value for name, value in version.items() if value})

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the bytes of every object below ``folder``, by path."""
        import obstore  # noqa: PLC0415 - as in `put`

        with self._errors(f"listing {folder}"):
            try:
                return {each["path"]: each["size"] for chunk in obstore.list(self._store, folder) for each in chunk}
            except FileNotFoundError:
                if self.place.scheme == "file":
                    return {}
                raise

    def update(self, path: str, change: Callable[[bytes | None], bytes], *, seems_new: bool = False) -> None:
        """Write what ``change`` makes of an object; where another writer comes between, it is asked once more.

        Args:
            path: The object.
            change: Gets the present bytes, or None; what it returns is not written where it is the same.
            seems_new: Whether to try first without asking what is there: one request less where nothing is.
        """
        for attempt in range(_MOST_CONFLICTS):
            with self._lock():
                is_blind = seems_new and attempt == 0 and self.place.folder is None
                before = None if is_blind else self.get(path)
                after = change(before.body if before else None)
                if (before and before.body == after) or self._replace(path, before, after):
                    return
        raise StoreError(f"Other programs change {path} all the time; it was not written.")

    def _replace(self, path: str, before: Content | None, after: bytes) -> bool:
        """Write ``after`` if ``before`` is still what is there; return whether it was."""
        import obstore  # noqa: PLC0415 - as in `put`
        from obstore.exceptions import (  # noqa: PLC0415 - as in `put`
            AlreadyExistsError,
            GenericError,
            NotSupportedError,
            PreconditionError,
        )

        with self._errors(f"writing {path}"):
            if self.place.scheme == "file":  # nobody else has the lock
                obstore.put(self._store, path, after)
                return True
            mode = cast("Any", dict(before.version) if before else "create")
            try:
                obstore.put(self._store, path, after, mode=mode)
            except (AlreadyExistsError, PreconditionError, FileNotFoundError):
                return False
            except (NotImplementedError, NotSupportedError, GenericError) as error:
                if not _lacks_conditions(error):
                    raise
                obstore.put(self._store, path, after)
            return True

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep others out of a folder, which has no conditional writes: threads here, programs on this machine."""
        folder = self.place.folder
        if folder is None:
            yield
            return
        from filelock import FileLock  # noqa: PLC0415 - as in `put`

        lock = folder / MANIFEST_FOLDER / ".lock"
        with self._threads, self._errors("locking the folder"):
            lock.parent.mkdir(exist_ok=True)
            with FileLock(lock):
                yield

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        from obstore.exceptions import (  # noqa: PLC0415 - as in `put`
            BaseError,
            PermissionDeniedError,
            UnauthenticatedError,
        )

        try:
            yield
        except AmplitudeError:
            raise
        except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
            raise StoreDeniedError(f"{self.place} denied {doing}{_cause(error)}.") from None
        except FileNotFoundError as error:
            raise StoreDeniedError(f"{self.place} is not there: {doing} failed{_cause(error)}.") from None
        except (BaseError, OSError, NotImplementedError, ValueError) as error:
            raise self._translated(error, doing) from None

    def _translated(self, error: BaseException, doing: str) -> AmplitudeError:
        text = str(error)
        if "os error 28" in text or "os error 122" in text or "No space left" in text:
            return DiskFullError(f"The disk of {self.place} is full: {doing} failed.")
        if "os error 13" in text or "os error 30" in text:
            return StoreDeniedError(f"{self.place} denied {doing}{_cause(error)}.")
        if "169.254.169.254" in text or "metadata.google.internal" in text:
            return StoreDeniedError(f"No credentials for {self.place} were found in the environment: {doing} failed.")
        if "builder error" in text:
            return StoreDeniedError(
                f"The address of {self.place} in the environment cannot be used: {doing} failed.",
                next_step="Use an https address, or set AWS_ALLOW_HTTP=true (AZURE_ALLOW_HTTP=true) for a local one.",
            )
        return StoreError(f"{self.place} failed while {doing}{_cause(error)}.")


def _lacks_conditions(error: Exception) -> bool:
    """Return whether a store refused a write only because it knows no conditions; some copies of S3 do not."""
    return isinstance(error, NotImplementedError) or "501" in str(error) or "NotImplemented" in str(error)


def _cause(error: BaseException) -> str:
    """Return the first line of a store's error without anything that may open the store."""
    text = " ".join(str(error).split("Debug source", 1)[0].split())
    text = re.sub(r"(https?://[^\s?\"'<>)]+)\?[^\s\"'<>)]*", r"\1", text)
    for secret in _secrets():
        text = text.replace(secret, _MASK)
    return f" ({text[:_MAX_SHOWN_CHARS].strip()})" if text else ""


def _secrets() -> list[str]:
    """Return whatever in the environment may open a store, the parts of connection strings too; longest first."""
    texts = [value for name, value in os.environ.items() if _SECRET_VARIABLES.search(name)]
    parts = [part.partition("=")[2] for text in texts for part in text.split(";")]
    return sorted({each for each in (*texts, *parts) if len(each) >= _SHORTEST_SECRET_CHARS}, key=len, reverse=True)
