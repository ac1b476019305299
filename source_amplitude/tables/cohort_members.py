"""The members of cohorts; a cohort is downloaded only after Amplitude has computed it again, to save quota."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from source_amplitude.api import Request
from source_amplitude.api.quotas import Quota
from source_amplitude.disk import TemporaryBody
from source_amplitude.errors import (
    InvalidStateError,
    NotFoundError,
    NotReadyError,
    QuotaUsedUpError,
    UnexpectedResponseError,
)
from source_amplitude.rows.csv_files import CohortFile
from source_amplitude.rows.shapes import items, require_dict, unknown_shape
from source_amplitude.tables.table import Part, Reading, State, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.rows.shapes import Row
    from source_amplitude.tables.rest_session import RestSession

_logger = logging.getLogger("airbyte")

_ACCEPTED = 202
_LATEST_SECONDS = 100_000_000_000  # the year 5138; a larger number is milliseconds
_POLL_SECONDS = 5.0
_MOST_POLL_SECONDS = 1800.0


@dataclass(frozen=True)
class _Cohort:
    """A cohort in the list of cohorts.

    Attributes:
        cohort_id: The cohort's ID.
        computed_seconds: The epoch seconds of the latest computation; None if never computed.
        size: The number of members; None if never computed.
    """

    cohort_id: str
    computed_seconds: int | None
    size: int | None

    @property
    def computed_at(self) -> str:
        return datetime.fromtimestamp(self.computed_seconds or 0, timezone.utc).isoformat()


@dataclass(frozen=True)
class _Download:
    """A requested download."""

    request_id: str  # valid for seven days (documented)
    cohort_id: str

    def request(self, path: str, what: str) -> Request:
        return Request(
            path.format(quote(self.request_id, safe="")), f"{what} of cohort {self.cohort_id}", quota=Quota.DASHBOARD
        )


class CohortsReading(Reading):
    """Each part is a cohort, read if it was computed again; the last part is empty and reports missing cohorts.

    The state is ``{"computed_at": newest, "cohorts": {id: epoch seconds of the computation that was read}}``.
    """

    def __init__(self, table: Table, rest: RestSession, state: State) -> None:
        super().__init__(table, rest, state)
        self._not_found: list[str] = []

    def _parts(self, *, again: bool) -> Iterator[Part]:  # noqa: ARG002 - a computed cohort does not change
        for cohort_id in self.config.cohort_ids:
            yield {"cohort_id": cohort_id}
        yield {}

    def _rows(self, part: Part) -> Iterator[Row]:
        if not part:
            if self._not_found:
                raise NotFoundError(f"The project has no published cohort {', '.join(self._not_found)} (cohort_ids).")
            return
        cohort = self._cohort(str(part["cohort_id"]))
        if cohort is None:
            return
        if cohort.computed_seconds is None or cohort.computed_seconds == self._read_before().get(cohort.cohort_id):
            why = "was never computed" if cohort.computed_seconds is None else "was not computed since it was read"
            _logger.info("%s: cohort %s %s.", self.name, cohort.cohort_id, why)
            return
        with TemporaryBody("download") as body:
            members = CohortFile(body.file, cohort.cohort_id, cohort.computed_at, may_be_blank=cohort.size == 0)
            self._download(self._request(cohort), body, members)
            yield from members.rows()
        self._warn_if_unexpected(cohort, members)
        self.state = {
            "computed_at": max(cohort.computed_at, str(self.state.get("computed_at") or "")),
            "cohorts": {**self._read_before(), cohort.cohort_id: cohort.computed_seconds},
        }

    def _read_before(self) -> dict[str, Any]:
        cohorts = self.state.get("cohorts")
        if cohorts and not isinstance(cohorts, dict):  # dropping them would use up the month's quota
            raise InvalidStateError(f"The saved state of {self.name} has {type(cohorts).__name__} as cohorts.")
        return dict(cohorts or {})

    def _cohort(self, cohort_id: str) -> _Cohort | None:
        """Return the cohort's entry in the list; None if it is missing, which the last part reports."""
        listed = items(self.rest.json(Request("/api/3/cohorts", "list of cohorts", quota=Quota.DASHBOARD)), "cohorts")
        found = next((cohort for cohort in listed if str(cohort.get("id")) == cohort_id), None)
        if found is None:
            self._not_found.append(cohort_id)
            return None
        computed = found.get("lastComputed")
        if computed is not None and (
            isinstance(computed, bool) or not isinstance(computed, int) or not 0 <= computed < _LATEST_SECONDS
        ):
            raise unknown_shape("lastComputed", "epoch seconds", computed)
        size = found.get("size")
        return _Cohort(cohort_id, computed, size if isinstance(size, int) and not isinstance(size, bool) else None)

    def _require_quota(self, cohort: _Cohort) -> None:
        """Raise a QuotaUsedUpError if the month's quota is used up; checking it does not count against the quota."""
        request = Request("/api/3/cohorts/usage", "usage of cohort downloads", quota=Quota.DASHBOARD)
        try:
            usage = self.rest.fetch(request).json(request.what)
        except NotFoundError:  # undocumented; without it, a 429 reports that the quota is used up
            return
        download = require_dict(require_dict(usage, "body").get("rest_download"), "rest_download")
        limit, used = download.get("limit"), download.get("usage")
        if not isinstance(limit, int) or not isinstance(used, int):
            raise unknown_shape("rest_download", "an object with the numbers limit and usage", download)
        if used >= limit:
            raise QuotaUsedUpError(
                f"{used} of {limit} cohort downloads of this month are used up (reset: {download.get('resets_at')}).",
                tried=f"Cohort {cohort.cohort_id} was not downloaded.",
            )

    def _request(self, cohort: _Cohort) -> _Download:
        """Request a download; each request counts against the month's quota, also a retry."""
        properties = tuple(("propKeys", name) for name in self.config.cohort_properties)
        request = Request(
            f"/api/5/cohorts/request/{quote(cohort.cohort_id, safe='')}",
            f"download of cohort {cohort.cohort_id}",
            (("props", "1" if properties else "0"), *properties),
            quota=Quota.COHORT_DOWNLOAD,
        )

        def once() -> object:
            self._require_quota(cohort)
            return self.rest.fetch(request).json(request.what)

        body = require_dict(self.rest.retrying(once), "body")
        request_id = body.get("request_id")
        if not isinstance(request_id, str) or not request_id:
            raise unknown_shape("body", "an object with request_id", body)
        return _Download(request_id, cohort.cohort_id)

    def _download(self, download: _Download, body: TemporaryBody, members: CohortFile) -> None:
        """Wait until the file is ready, download it and verify it."""
        waited_seconds = 0.0
        while self._is_in_progress(download):
            if waited_seconds >= _MOST_POLL_SECONDS:
                raise NotReadyError(
                    f"Amplitude is still preparing cohort {download.cohort_id} after {waited_seconds:.0f} s."
                )
            self.rest.wait(_POLL_SECONDS)
            waited_seconds += _POLL_SECONDS
        self.rest.retrying(lambda: self._fetch_file(download, body, members))

    def _is_in_progress(self, download: _Download) -> bool:
        """Return whether the job is running (documented: status 202 in progress, 200 completed; no failure)."""
        request = download.request("/api/5/cohorts/request-status/{}", "the state of the download")
        fetched = self.rest.retrying(lambda: self.rest.fetch(request))
        status = str(require_dict(fetched.json(request.what), "body").get("async_status", ""))
        known = "JOB INPROGRESS" if fetched.status == _ACCEPTED else "JOB COMPLETED"
        if status not in ("", known):
            raise UnexpectedResponseError(
                f"The download of cohort {download.cohort_id} has the unknown status {status[:60]!r}."
            )
        return fetched.status == _ACCEPTED

    def _fetch_file(self, download: _Download, body: TemporaryBody, members: CohortFile) -> None:
        request = replace(download.request("/api/5/cohorts/request/{}/file", "the file"), may_redirect=True)
        body.empty()
        fetched = self.rest.fetch(request, body)
        if fetched.location:
            body.empty()
            self.rest.fetch_storage(fetched.location, request.what, body)
        elif fetched.status == _ACCEPTED:
            raise NotReadyError(f"Amplitude reported {request.what} as ready, but it is still in progress.")
        body.flush()
        members.verify()

    def _warn_if_unexpected(self, cohort: _Cohort, members: CohortFile) -> None:
        """Warn if the download does not match the list of cohorts or the configuration."""
        if cohort.size is not None and abs(members.count - cohort.size) > max(10, cohort.size // 20):
            _logger.warning(
                "%s: cohort %s has %d members in its file, but %d in the list of cohorts.",
                self.name,
                cohort.cohort_id,
                members.count,
                cohort.size,
            )
        wanted = {name.removeprefix("gp:") for name in self.config.cohort_properties}
        missing = wanted - {name.removeprefix("gp:") for name in members.properties}
        if missing and members.count:
            _logger.warning("%s: cohort %s has no property %s.", self.name, cohort.cohort_id, sorted(missing))


COHORT_MEMBERS = Table(
    "cohort_members",
    ("cohort_id", "amplitude_id"),
    reading=CohortsReading,
    cursor_field="computed_at",
    needs="cohort_ids",
)
