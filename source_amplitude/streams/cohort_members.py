"""Who is in a cohort: asked for again only after Amplitude has computed it anew, inside its quotas."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from airbyte_cdk.sources.streams import CheckpointMixin

from source_amplitude.api import Call, Quota
from source_amplitude.errors import DiskFullError, NotFoundError, NotReadyError, QuotaUsedUpError
from source_amplitude.rows import CohortFile, items
from source_amplitude.rows.shapes import require_dict, unknown_shape
from source_amplitude.streams.rest_stream import RestStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

    from source_amplitude.api import Fetched, Rest
    from source_amplitude.streams.rest_stream import RestContext

_logger = logging.getLogger("airbyte")

_ACCEPTED, _FOUND = 202, 302
_POLL_SECONDS = 5.0
_MOST_POLL_SECONDS = 1800.0


@dataclass(frozen=True)
class _Download:
    """What step 1 promised.

    Attributes:
        request_id: Its id; the link made of it lives seven days (documented).
        cohort_id: The cohort.
    """

    request_id: str
    cohort_id: str

    def call(self, path: str, what: str) -> Call:
        return Call(path.format(quote(self.request_id, safe="")), f"{what} of cohort {self.cohort_id}")


class CohortMembers(RestStream, CheckpointMixin):
    """One row for each member of each cohort in ``cohort_ids``, whenever the cohort was computed."""

    name = "cohort_members"
    primary_key = ["cohort_id", "amplitude_id"]  # noqa: RUF012 - the CDK's form
    cursor_field = "computed_at"

    def __init__(self, context: RestContext) -> None:
        super().__init__(context)
        self._state: MutableMapping[str, Any] = {}
        self._cohorts: dict[str, dict[str, Any]] | None = None

    @property
    def source_defined_cursor(self) -> bool:
        """When Amplitude computed the cohort."""
        return True

    @property
    def state(self) -> MutableMapping[str, Any]:
        """``{"computed_at": newest, "cohorts": {id: epoch seconds of the computation that was read}}``."""
        return self._state

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = value

    def stream_slices(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 - the CDK's signature
        """Yield ``{"cohort_id"}`` for each cohort that is configured."""
        if not self._config.cohort_ids:
            _logger.info("%s: cohort_ids is empty, so there is nothing to read.", self.name)
        for cohort_id in self._config.cohort_ids:
            yield {"cohort_id": cohort_id}

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """See `RestStream.rows`; the state moves when a cohort was emitted whole.

        Raises:
            NotFoundError: The project has no such cohort.
            QuotaUsedUpError: The month's downloads are used up.
        """
        if "cohort_id" not in part:
            return
        cohort_id = str(part["cohort_id"])
        computed = self._last_computed(rest, cohort_id)
        read = self._read_before()
        if computed is None or computed == read.get(cohort_id):
            _logger.info(
                "%s: cohort %s %s.",
                self.name,
                cohort_id,
                "was never computed" if computed is None else "was not computed again since it was read",
            )
            return
        self._require_quota(rest, cohort_id)
        computed_at = datetime.fromtimestamp(computed, timezone.utc).isoformat()
        with _temporary_file() as file:
            self._download(rest, self._request(rest, cohort_id), file, computed_at)
            yield from CohortFile(file, cohort_id, computed_at).rows()
        self._state = {
            "computed_at": max(computed_at, str(self._state.get("computed_at") or "")),
            "cohorts": {**read, cohort_id: computed},
        }

    def _read_before(self) -> dict[str, Any]:
        cohorts = self._state.get("cohorts")
        # A host hands nested states over as objects of its own.
        return dict(cohorts if isinstance(cohorts, dict) else vars(cohorts) if cohorts else {})

    def _last_computed(self, rest: Rest, cohort_id: str) -> int | None:
        """Return when a cohort was computed, in epoch seconds; None if never."""
        if self._cohorts is None:
            listed = items(rest.json(Call("/api/3/cohorts", "list of cohorts")), "cohorts")
            self._cohorts = {str(cohort.get("id")): cohort for cohort in listed}
        if cohort_id not in self._cohorts:
            raise NotFoundError(f"The project has no published cohort {cohort_id!r}, which cohort_ids names.")
        computed = self._cohorts[cohort_id].get("lastComputed")
        if computed is not None and (isinstance(computed, bool) or not isinstance(computed, int)):
            raise unknown_shape("lastComputed", "epoch seconds", computed)
        return computed

    def _require_quota(self, rest: Rest, cohort_id: str) -> None:
        """Look at the month's usage, which costs nothing, before a download that counts."""
        try:
            usage = rest.json(Call("/api/3/cohorts/usage", "usage of cohort downloads"))
        except NotFoundError:  # observed in clients only: without it the limit shows as 429
            return
        download = require_dict(require_dict(usage, "body").get("rest_download"), "rest_download")
        limit, used = download.get("limit"), download.get("usage")
        if isinstance(limit, int) and isinstance(used, int) and used >= limit:
            raise QuotaUsedUpError(
                f"{used} of {limit} cohort downloads of this month are used up (reset: {download.get('resets_at')}).",
                tried=f"Cohort {cohort_id} was not downloaded.",
            )

    def _request(self, rest: Rest, cohort_id: str) -> _Download:
        """Ask for a download; each such request counts against the month's quota."""
        properties = tuple(("propKeys", name) for name in self._config.cohort_properties)
        call = Call(
            f"/api/5/cohorts/request/{quote(cohort_id, safe='')}",
            f"download of cohort {cohort_id}",
            (("props", "1" if properties else "0"), *properties),
            quota=Quota.COHORT_DOWNLOAD,
        )
        answer = require_dict(rest.json(call), "body")
        request_id = answer.get("request_id")
        if not isinstance(request_id, str) or not request_id:
            raise unknown_shape("body", "an object with request_id", answer)
        return _Download(request_id, cohort_id)

    def _download(self, rest: Rest, download: _Download, file: IO[bytes], computed_at: str) -> None:
        """Wait until the file is prepared, and bring it here, proven to its end."""
        waited_seconds = 0.0
        while self._is_in_progress(rest, download):
            if waited_seconds >= _MOST_POLL_SECONDS:
                raise NotReadyError(
                    f"Amplitude was still preparing cohort {download.cohort_id} after {waited_seconds:.0f} seconds."
                )
            rest.wait(_POLL_SECONDS)
            waited_seconds += _POLL_SECONDS
        rest.retrying(lambda: self._fetch_file(rest, download, file, computed_at))

    def _is_in_progress(self, rest: Rest, download: _Download) -> bool:
        call = download.call("/api/5/cohorts/request-status/{}", "the state of the download")
        return rest.retrying(lambda: rest.fetch(call)).status == _ACCEPTED

    def _fetch_file(self, rest: Rest, download: _Download, file: IO[bytes], computed_at: str) -> None:
        call = download.call("/api/5/cohorts/request/{}/file", "the file")
        sink = _FileSink(file)
        fetched: Fetched = rest.fetch(call, sink)
        if fetched.status == _FOUND:
            rest.fetch_storage(urljoin("https://amplitude.com/", fetched.location), call.what, sink.emptied())
        elif fetched.status == _ACCEPTED:
            raise NotReadyError(f"Amplitude has not finished {call.what} yet, though it said so.")
        CohortFile(file, download.cohort_id, computed_at).prove()


class _FileSink:
    """Takes a body; a full disk is said as such."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.emptied()

    def emptied(self) -> _FileSink:
        self._file.seek(0)
        self._file.truncate()
        return self

    def expect(self, total_bytes: int, /) -> None:
        """Do nothing: a file grows as it is written."""

    def write(self, data: bytes, /) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise DiskFullError(f"{tempfile.gettempdir()} cannot hold the download ({error.strerror}).") from error


def _temporary_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise DiskFullError(f"No temporary file can be made ({error.strerror}).") from error
