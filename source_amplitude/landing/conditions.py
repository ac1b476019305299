"""Writes on condition: whether a store honours them, and the safest way to write where it does not.

The first write of each kind finds out, without retries: a store that lacks conditions answers 501 each time, and
retries of every write would be most of what a run sends. What was learned holds for the run.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from source_amplitude.landing.store_errors import lacks_conditions, store_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from obstore.store import ObjectStore

    from source_amplitude.landing.destination import Destination

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Content:
    """An object's bytes and which version of it they are."""

    body: bytes
    version: Mapping[str, Any]


class Condition(Enum):
    """On what a write depends; the values are the headers of S3."""

    CREATE = "If-None-Match"
    REPLACE = "If-Match"


class ConditionalWriter:
    """Writes an object only if it is what was read; safe to use from several threads.

    Args:
        impatient: Makes the same store without retries; called for the first write of a kind only.
    """

    def __init__(
        self,
        destination: Destination,
        store: ObjectStore,
        impatient: Callable[[], ObjectStore],
        read: Callable[[str], Content | None],
    ) -> None:
        self._place = destination
        self._store = store
        self._impatient = impatient
        self._read = read
        self._honoured: dict[Condition, bool] = {}
        self._learning = threading.Lock()
        self._said: set[Condition] = set()

    def replace(self, path: str, before: Content | None, after: bytes) -> bool:
        """Write ``after`` if ``before`` is still what is there; return whether it was. Raises obstore's own errors."""
        condition = Condition.REPLACE if before else Condition.CREATE
        cause = ""
        with self._first(condition) as is_first:
            if self._honoured.get(condition, True):
                try:
                    is_written = self._put_on_condition(path, before, after, is_first=is_first)
                except _LacksConditionError as error:
                    self._honoured[condition], cause = False, str(error)
                else:
                    self._honoured.setdefault(condition, True)
                    return is_written
        return self._put_between_two_looks(path, before, after, condition, cause)

    @contextmanager
    def _first(self, condition: Condition) -> Iterator[bool]:
        """Yield whether this write is to find out; others of its kind wait until it has."""
        if condition in self._honoured:
            yield False
            return
        with self._learning:
            yield condition not in self._honoured

    def _put_on_condition(self, path: str, before: Content | None, after: bytes, *, is_first: bool) -> bool:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - installed only with the extra [land]

        if before and not before.version:
            raise _LacksConditionError("it gives no ETag")
        mode = dict(before.version) if before else "create"
        if is_first:
            try:
                return _put(self._impatient(), path, after, mode)
            except (BaseError, OSError):
                pass  # asked again with patience
        return self._put_again_if_broken(path, before, after, mode)

    def _put_again_if_broken(self, path: str, before: Content | None, after: bytes, mode: object) -> bool:
        """Write, and once more where the connection broke: obstore does not repeat a write on condition by itself."""
        from obstore.exceptions import GenericError  # noqa: PLC0415 - as above

        try:
            return _put(self._store, path, after, mode)
        except GenericError:
            left = self._read(path)
            if left is not None and left.body == after:
                return True
            return left == before and _put(self._store, path, after, mode)

    def _put_between_two_looks(
        self, path: str, before: Content | None, after: bytes, condition: Condition, cause: str
    ) -> bool:
        """Write if a look just before shows ``before``; return whether a look just after shows ``after``."""
        import obstore  # noqa: PLC0415 - as above

        if self._read(path) != before:
            return False
        obstore.put(self._store, path, after)
        self._say(condition, cause)
        left = self._read(path)
        return left is not None and left.body == after

    def _say(self, condition: Condition, cause: str) -> None:
        """Warn once of what the store lacks; called after a write without the condition has worked."""
        if not cause or condition in self._said:
            return
        self._said.add(condition)
        _logger.warning(
            "%s does not support writes with %s (%s): manifests are read before and after each write instead. Two runs "
            "at once into this place can overwrite each other's manifests; run one at a time.",
            self._place,
            condition.value,
            cause,
        )


class _LacksConditionError(Exception):
    """The store refuses the condition, not the write."""


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
            raise _LacksConditionError(store_words(error)) from None
        raise
    return True
