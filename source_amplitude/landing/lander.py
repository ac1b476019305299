"""One run of ``land``: request the hours of a span, verify the archives, write objects and manifests.

Requests: all hours of the span; with ``--only-missing`` only the hours that are incomplete by the manifests and the
object sizes in the store. A ledger built from the manifests decides, by the same rules as for ``read``.

Objects: archives arrive oldest first. Several threads write the hours of one archive while the next one is downloaded.
A member is skipped if its object is in the store and Amplitude has not changed it. If a member is corrupt, its hour and
the later hours of the archive are requested again, a few times; then the hour fails, and the run continues.

Manifests: an hour's manifest is written after its objects. A killed run leaves objects without a manifest; the next run
writes them again. Hours without files are recorded as open, or as empty once the ledger has settled them, when their
archive is done. Failed hours are recorded at the end.

Before the first object the run claims the destination for its format and project; `place` has the rules.

Another run may land the same hours at the same time, also on another machine; `hour` has the rules.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.errors import AmplitudeError, HoursMissingError, OtherProjectError
from source_amplitude.export import Archives, Arrived, ProgressListener, hours_still_flawed
from source_amplitude.landing.column_set import FIELD, NEWEST, column_set_of
from source_amplitude.landing.formats import with_columns
from source_amplitude.landing.hour import FoundHour, HourWriter, write_manifest
from source_amplitude.landing.inventory import format_of_hours, landed_hours, ledger_of, require_fitting, take_inventory
from source_amplitude.landing.manifest import HourState, Manifest
from source_amplitude.landing.place import Claim, read_place, with_arrays
from source_amplitude.landing.results import HourResult, Landing
from source_amplitude.ledger import conclusive_at, reached_age
from source_amplitude.windows import HourSet, HourWindow, hour_window, plan, whole_units

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from source_amplitude.export import Amplitude
    from source_amplitude.landing.formats import Format
    from source_amplitude.landing.inventory import Inventory
    from source_amplitude.landing.store import Store
    from source_amplitude.ledger import Ledger

_logger = logging.getLogger("airbyte")

_ARCHIVES_AT_ONCE = 2
_NEXT_STEP = (
    "Run the command again with --only-missing to land these hours. If an hour keeps failing, add it to accepted_gaps."
)


@dataclass
class _InFlight:
    """An archive whose hours are being written; counted hours are removed."""

    arrived: Arrived
    hours: deque[Future[HourResult]]


class Lander:
    """Lands a span of hours in a store; for one run.

    Args:
        stop: Once set, the run finishes the current objects and raises a StoppedError.
    """

    _inventory: Inventory
    _ledger: Ledger
    _archives: Archives
    _claim: Claim

    def __init__(
        self,
        amplitude: Amplitude,
        store: Store,
        format_: Format,
        stop: threading.Event,
        listener: ProgressListener | None = None,
    ) -> None:
        self.landing = Landing()
        self.listener = listener or ProgressListener()
        self.config = amplitude.config
        self.store = store
        self._amplitude = amplitude
        self._format = format_
        self._stop = stop
        self._manifests: dict[datetime, Manifest] = {}  # the current ones in the store
        self._pool = ThreadPoolExecutor(format_.hours_at_once, thread_name_prefix="landing")
        self._in_flight: deque[_InFlight] = deque()
        self._manifest_writes: list[Future[Manifest]] = []

    def land(self, span: HourWindow, *, only_missing: bool) -> None:
        """Land ``span``: write new and changed objects, and skip unchanged ones.

        Args:
            only_missing: Request only hours that are missing, incomplete or open, or that are due for a recheck for
                late-arriving files (``recheck_hours``).

        Raises:
            HoursMissingError: At the end if windows failed; earlier if windows keep failing with the same kind of
                error.
            MalformedLinesError: At the end, depending on the policy for malformed lines.
            AmplitudeError: Any error that concerns more than one window; objects written before stay.
        """
        self._load_inventory(span)
        policy, tally = self.config.malformed_lines, self.landing.tally
        reread = hours_still_flawed(self._ledger, policy) if only_missing else HourSet((span,))
        self.listener.begin("land", self.landing.stats)
        try:
            self._transfer(span, reread=reread, recheck=only_missing)
            tally.raise_what_is_left(self._ledger, policy, tried="All other hours were landed.")
        except HoursMissingError as error:
            error.advice = _NEXT_STEP
            raise
        finally:
            tally.oddities.log_warnings(str(span))

    def _load_inventory(self, span: HourWindow) -> None:
        hours = landed_hours(self.store)
        self._amplitude.clocks.require_current_date(None, hours[-1] if hours else None)
        self._inventory = take_inventory(self.store, span, hours, look_around=True)
        place = read_place(self.store)
        require_fitting(self._inventory, place, self._format.name, self.store.destination)
        is_parquet = self._format.name == "parquet"
        more = {FIELD: NEWEST} if is_parquet and place is None and not format_of_hours(self.store, hours) else {}
        self._claim = Claim(self.store, with_arrays(self._format.option, self.store.destination), place, more)
        self._manifests = dict(self._inventory.manifests)
        self._ledger = ledger_of(self._inventory, place, conclusive_after_hours=self.config.conclusive_after_hours)
        if any(manifest.format for manifest in self._inventory.known):  # from a version without markers
            self._claim.make(self._ledger.project)
        self._archives = Archives(self._amplitude, self._ledger, stop=self._stop, stats=self.landing.tally)

    def _transfer(self, span: HourWindow, *, reread: HourSet, recheck: bool) -> None:
        """Request the hours of ``span`` that the ledger lacks and those of ``reread``, and write them."""
        try:
            with closing(self._archives.ask(span, recheck=recheck, reread=reread)) as arrivals:
                self._write_all(self._of_this_project(arrivals))
            self._wait_for_manifests()  # before further manifests of the same hours
            self._record_failures()
            self._record_empty_hours()
            self._wait_for_manifests()
        except HoursMissingError:
            self._wait_for_manifests()
            self._record_failures()
            self._wait_for_manifests()
            raise
        finally:
            self._pool.shutdown(cancel_futures=True)
            for each in self._in_flight:
                self._count_landed_hours(each)
                each.arrived.download.close()
            self._count_hours_without_files(span)

    def _of_this_project(self, arrivals: Iterable[Arrived | None]) -> Iterator[Arrived | None]:
        try:
            yield from arrivals
        except OtherProjectError:
            raise OtherProjectError(
                f"{self.store.destination} belongs to project {printable(self._ledger.project or '')}, "
                "but these keys are for another project.",
                tried="No object was written.",
                next_step="Use one folder per project.",
            ) from None

    def _write_all(self, arrivals: Iterable[Arrived | None]) -> None:
        disk_bytes = self._amplitude.limits.disk_bytes
        for arrived in arrivals:
            if arrived is None:
                _logger.info("Still waiting for Amplitude.")
                continue
            self._in_flight.append(self._begin(arrived))
            # Write one archive while the next one arrives, unless the two could exceed the disk limit. Write the last
            # archive before going on: if one of its hours is corrupt, it must be requested again.
            must_finish = self._archives.nothing_follows or 2 * arrived.download.archive_bytes > disk_bytes
            while len(self._in_flight) > (0 if must_finish else _ARCHIVES_AT_ONCE - 1):
                self._finish(self._in_flight[0])
                self._in_flight.popleft()
            self._archives.raise_if_stopped()

    def _begin(self, arrived: Arrived) -> _InFlight:
        """Start to write the hours of an archive, after the destination was claimed for its project."""
        archive, hours = arrived.download.archive, deque[Future[HourResult]]()
        if arrived.hours:
            try:
                self._claim.make(self._ledger.project)
                self._format = with_columns(self._format, column_set_of(self._claim.current, is_new=False))
            except AmplitudeError:
                arrived.download.close()
                raise
        for hour, members in arrived.hours.items():
            if archive is not None:
                hours.append(self._pool.submit(self._writer(arrived, hour).write, archive, members))
        return _InFlight(arrived, hours)

    def _writer(self, arrived: Arrived, hour: datetime) -> HourWriter:
        before, asked_at = self._manifests.get(hour), arrived.download.asked_at
        is_recheck = before is not None and self._reached_recheck_age(before, asked_at)
        found = FoundHour(hour_window(hour), before, self._inventory.sizes(hour), is_recheck)
        return HourWriter(self.store, self._format, found, asked_at, self._archives.raise_if_stopped)

    def _reached_recheck_age(self, before: Manifest, asked_at: datetime) -> bool:
        """Return whether the manifest's `asked_at` must be updated because a recheck age was passed."""
        return reached_age(before.window, self.config.recheck_hours, since=before.asked_at, until=asked_at)

    def _finish(self, flight: _InFlight) -> None:
        """Wait for the hours of an archive and record how they ended."""
        arrived = flight.arrived
        while flight.hours:
            result = flight.hours[0].result()
            flight.hours.popleft()
            if result.manifest is not None:
                self._count(result, result.manifest, arrived.download.asked_at)
            elif result.broken is not None and self._archives.ask_again(
                result.window, arrived.download.window, result.broken
            ):
                for rest in flight.hours:  # these hours are requested again too
                    rest.cancel()
                wait(flight.hours)
                arrived.download.close()
                self._record_hours_without_files(arrived, self._archives.read_before(result.window, arrived))
                return
        arrived.download.close()
        self._archives.finish(arrived)
        self._record_hours_without_files(arrived, HourSet((arrived.download.window,)))

    def _count(self, result: HourResult, manifest: Manifest, asked_at: datetime) -> None:
        self._manifests[result.window.start] = manifest
        members = {each.member: each.content for each in manifest.objects}
        self._ledger.mark_done(result.window.start, members, asked_at=asked_at)
        self.landing.add(result)
        _logger.info("%s", result)

    def _count_landed_hours(self, flight: _InFlight) -> None:
        """Count the hours of an archive that were landed before the run ended early."""
        for future in flight.hours:
            if future.cancelled() or future.exception() is not None:
                continue
            result = future.result()
            if result.manifest is not None:
                self._count(result, result.manifest, flight.arrived.download.asked_at)

    def _record_hours_without_files(self, arrived: Arrived, hours: HourSet) -> None:
        if not arrived.is_proof:
            return
        asked_at = arrived.download.asked_at
        for unit in plan(whole_units(arrived.download.window), 1):
            start = unit.start
            if start in arrived.hours or start not in hours:
                continue
            landed = self._manifests.get(start)
            if landed is not None and landed.state is HourState.DONE:
                _logger.warning("Amplitude no longer has files for %s; the landed objects stay.", landed.window)
                if self._reached_recheck_age(landed, asked_at):
                    self._submit(replace(landed, asked_at=asked_at.replace(microsecond=0)))
                continue
            self._record_no_files(unit, landed, asked_at)

    def _record_no_files(self, window: HourWindow, before: Manifest | None, asked_at: datetime) -> None:
        state = HourState.EMPTY if window.start in self._ledger.settled else HourState.OPEN
        manifest = Manifest(window, state, asked_at.replace(microsecond=0))
        if (
            before is not None
            and before.state is state
            and (state is HourState.EMPTY or not self._became_conclusive(before, manifest))
        ):
            return
        self._submit(manifest)

    def _became_conclusive(self, before: Manifest, now: Manifest) -> bool:
        """Return whether the hour was too young to be empty at the request before, and is old enough now."""
        return before.asked_at < conclusive_at(before.window.start, self.config.conclusive_after_hours) <= now.asked_at

    def _record_failures(self) -> None:
        for window, error in self.landing.tally.failures:
            for unit in plan(whole_units(window), 1):
                before = self._manifests.get(unit.start)
                if before is None or before.state not in (HourState.DONE, HourState.EMPTY):
                    failed_at = before.asked_at if before else window.end
                    self._submit(Manifest(unit, HourState.FAILED, failed_at, reason=error.what))

    def _record_empty_hours(self) -> None:
        for start, manifest in list(self._manifests.items()):
            if manifest.state is HourState.OPEN and start in self._ledger.settled:
                self._submit(Manifest(manifest.window, HourState.EMPTY, manifest.asked_at))

    def _submit(self, manifest: Manifest) -> None:
        before = self._manifests.get(manifest.window.start)
        self._manifests[manifest.window.start] = manifest
        self._manifest_writes.append(self._pool.submit(write_manifest, self.store, manifest, before))

    def _wait_for_manifests(self) -> None:
        while self._manifest_writes:
            self._manifest_writes.pop().result()

    def _count_hours_without_files(self, span: HourWindow) -> None:
        for manifest in self._manifests.values():
            if manifest.window.start in span:
                self.landing.hours_open += manifest.window.hours * (manifest.state is HourState.OPEN)
                self.landing.hours_empty += manifest.window.hours * (manifest.state is HourState.EMPTY)
                is_known = manifest.state in (HourState.DONE, HourState.EMPTY)
                self.landing.known_hours += manifest.window.hours * is_known
                self.landing.known_events += manifest.events * is_known
        unverified = self.landing.tally.unverified
        self.landing.hours_open += sum(hour_window(hour).start not in self._manifests for hour in unverified)
