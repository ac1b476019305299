"""Conditional writes: detect whether a store supports them, and write as safely as possible if it does not.

The first write of each kind detects the support, without retries: an unsupported write gets a 501 each time, and
obstore would retry it. The result holds for the run.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from source_amplitude.landing.store_errors import lacks_conditions, store_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from obstore.store import ObjectStore

    from source_amplitude.landing.destination import Destination

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Content:
    """An object's bytes and their version, such as an etag."""

    body: bytes
    version: Mapping[str, Any]


class Condition(Enum):
    """The condition of a write; the values are the S3 headers."""

    CREATE = "If-None-Match"
    REPLACE = "If-Match"


class ConditionalWriter:
    """Writes an object only if it is still the one that was read; safe to use from several threads.

    Args:
        without_retries: Opens the same store without retries; used for the first write of each kind.
        read: Returns an object, or None if it does not exist.
    """

    def __init__(
        self,
        destination: Destination,
        store: ObjectStore,
        without_retries: Callable[[], ObjectStore],
        read: Callable[[str], Content | None],
    ) -> None:
        self._destination = destination
        self._store = store
        self._without_retries = without_retries
        self._read = read
        self._supported: dict[Condition, bool] = {}
        self._probe_lock = threading.Lock()
        self._warned: set[Condition] = set()

    def replace(self, path: str, before: Content | None, after: bytes) -> bool:
        """Replace ``before`` with ``after`` if it is unchanged; return whether it was. Raises obstore's own errors."""
        condition = Condition.REPLACE if before else Condition.CREATE
        cause = ""
        with self._probe(condition) as is_first:
            if self._supported.get(condition, True):
                try:
                    is_written = self._put_conditionally(path, before, after, is_first=is_first)
                except _UnsupportedError as error:
                    self._supported[condition], cause = False, str(error)
                else:
                    self._supported.setdefault(condition, True)
                    return is_written
        return self._put_between_reads(path, before, after, condition, cause)

    @contextmanager
    def _probe(self, condition: Condition) -> Iterator[bool]:
        """Yield whether this write is the first of its kind; the others wait until it is done."""
        if condition in self._supported:
            yield False
            return
        with self._probe_lock:
            yield condition not in self._supported

    def _put_conditionally(self, path: str, before: Content | None, after: bytes, *, is_first: bool) -> bool:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - installed only with the extra [land]

        if before and not before.version:
            raise _UnsupportedError("it does not return ETags")
        mode = dict(before.version) if before else "create"
        if is_first:
            try:
                return _put(self._without_retries(), path, after, mode)
            except (BaseError, OSError):
                pass  # tried again below, with retries
        return self._put_with_retry(path, before, after, mode)

    def _put_with_retry(self, path: str, before: Content | None, after: bytes, mode: object) -> bool:
        """Write, and retry once if the connection breaks: obstore does not retry conditional writes."""
        from obstore.exceptions import GenericError  # noqa: PLC0415 - as above

        try:
            return _put(self._store, path, after, mode)
        except GenericError:
            current = self._read(path)
            if current is not None and current.body == after:
                return True
            return current == before and _put(self._store, path, after, mode)

    def _put_between_reads(
        self, path: str, before: Content | None, after: bytes, condition: Condition, cause: str
    ) -> bool:
        """Write if a read just before returns ``before``; return whether a read just after returns ``after``."""
        import obstore  # noqa: PLC0415 - as above

        if self._read(path) != before:
            return False
        obstore.put(self._store, path, after)
        self._warn_once(condition, cause)
        current = self._read(path)
        return current is not None and current.body == after

    def _warn_once(self, condition: Condition, cause: str) -> None:
        """Warn once that the store lacks a condition; called after an unconditional write has succeeded."""
        if not cause or condition in self._warned:
            return
        self._warned.add(condition)
        _logger.warning(
            "%s does not support writes with %s (%s). Manifests are read before and after each write instead. Run only "
            "one land command at a time: two could overwrite each other's manifests.",
            self._destination,
            condition.value,
            cause,
        )


class _UnsupportedError(Exception):
    """The store does not support the condition of a write."""


def _put(store: ObjectStore, path: str, body: bytes, mode: object) -> bool:
    import obstore  # noqa: PLC0415 - as above
    from obstore.exceptions import (  # noqa: PLC0415 - as above
        AlreadyExistsError,
        GenericError,
        NotModifiedError,
        NotSupportedError,
        PreconditionError,
    )

    try:
        obstore.put(store, path, body, mode=cast("Any", mode))
    except (AlreadyExistsError, PreconditionError, NotModifiedError, FileNotFoundError):
        return False
    except (NotImplementedError, NotSupportedError, GenericError) as error:
        if lacks_conditions(error):
            raise _UnsupportedError(store_message(error)) from None
        raise
    return True
