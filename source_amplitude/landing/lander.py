"""One run of ``land``: what the store lacks of a span of hours is asked for, proven, written and noted.

What is asked for: everything of the span, and compared; with ``--only-missing`` what the manifests and the sizes in the
store do not show to be there. The ledger made of the manifests decides, by the same rules as for ``read``.

What is written: archives arrive oldest first, and the hours of one are written by several threads while the next one
is downloaded. A member whose object is there as Amplitude has it now is not written again. An hour whose archive breaks
is asked for again, with all behind it, a few times; then it has failed, and the others go on.

What is noted when: an hour's manifest after its objects, so that a killed run leaves objects without a manifest, which
the next run writes again. Hours without files are noted when their archive is done, as open or, once the ledger says
so, as empty; failed hours at the end.

Another run may land the same hours at the same time, on another machine too: `hour` has the rules for that.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from source_amplitude.errors import HoursMissingError, OtherProjectError
from source_amplitude.export import Archives, Arrived, ProgressListener, hours_still_flawed
from source_amplitude.landing.hour import FoundHour, HourWriter, write_manifest
from source_amplitude.landing.inventory import landed_hours, ledger_of, require_fitting, take_inventory
from source_amplitude.landing.manifest import HourState, Manifest
from source_amplitude.landing.results import HourResult, Landing
from source_amplitude.ledger import conclusive_at, reached_age
from source_amplitude.windows import HourSet, HourWindow, hour_window, plan, whole_units

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable
    from datetime import datetime

    from source_amplitude.export import Amplitude
    from source_amplitude.landing.formats import Format
    from source_amplitude.landing.inventory import Inventory
    from source_amplitude.landing.store import Store
    from source_amplitude.ledger import Ledger

_logger = logging.getLogger("airbyte")

_ARCHIVES_AT_ONCE = 2
_AGAIN = (
    "Run the command again with --only-missing: it asks for these hours. An hour that will never heal can be named in "
    "accepted_gaps."
)


@dataclass
class _InFlight:
    """An archive whose hours are being written; those that were counted are no longer among them."""

    arrived: Arrived
    hours: deque[Future[HourResult]]


class Lander:
    """Lands a span of hours in a store, once.

    Args:
        stop: Once set, the run ends with a StoppedError when the objects being written are.
    """

    _inventory: Inventory
    _ledger: Ledger
    _archives: Archives

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
        self._manifests: dict[datetime, Manifest] = {}  # as they are in the store by now
        self._pool = ThreadPoolExecutor(format_.hours_at_once, thread_name_prefix="landing")
        self._in_flight: deque[_InFlight] = deque()
        self._notes: list[Future[Manifest]] = []

    def land(self, span: HourWindow, *, only_missing: bool) -> None:
        """Land what the store lacks of ``span``, or whatever Amplitude has for it, and compare.

        Args:
            only_missing: Ask only for hours that are missing or short, that Amplitude had nothing for yet, or that were
                landed so early that late files are to be looked for (``recheck_hours``).

        Raises:
            HoursMissingError: At the end, when windows failed; or earlier, when they keep failing alike.
            MalformedLinesError: At the end, by the policy for malformed lines.
            AmplitudeError: What is not about one window; what was landed before stays.
        """
        self._take_stock(span)
        policy, tally = self.config.malformed_lines, self.landing.tally
        reread = hours_still_flawed(self._ledger, policy) if only_missing else HourSet((span,))
        self.listener.begin("land", self.landing.stats)
        try:
            self._transfer(span, reread=reread, recheck=only_missing)
            tally.raise_what_is_left(self._ledger, policy, tried="All other hours were landed.")
        except OtherProjectError:
            raise OtherProjectError(
                f"{self.store.destination} belongs to project {self._ledger.project}, and the archives to another one.",
                tried="Nothing of the archive was landed.",
                next_step="Use one prefix for each project.",
            ) from None
        except HoursMissingError as error:
            error.advice = _AGAIN
            raise
        finally:
            tally.oddities.log_warnings(str(span))

    def _take_stock(self, span: HourWindow) -> None:
        hours = landed_hours(self.store)
        self._amplitude.clocks.require_current_date(None, hours[-1] if hours else None)
        self._inventory = take_inventory(self.store, span, hours, look_around=True)
        require_fitting(self._inventory, self._format.name, self.store.destination)
        self._manifests = dict(self._inventory.manifests)
        self._ledger = ledger_of(self._inventory, export_delay_hours=self.config.export_delay_hours)
        self._archives = Archives(self._amplitude, self._ledger, stop=self._stop, stats=self.landing.tally)

    def _transfer(self, span: HourWindow, *, reread: HourSet, recheck: bool) -> None:
        """Ask for what is missing of ``span`` and for ``reread``, and write it."""
        try:
            with closing(self._archives.ask(span, recheck=recheck, reread=reread)) as arrivals:
                self._write_all(arrivals)
            self._wait_for_notes()  # before others of the same hours
            self._note_failures()
            self._note_hours_that_proved_empty()
            self._wait_for_notes()
        except HoursMissingError:
            self._wait_for_notes()
            self._note_failures()
            self._wait_for_notes()
            raise
        finally:
            self._pool.shutdown(cancel_futures=True)
            for each in self._in_flight:
                self._count_what_was_landed(each)
                each.arrived.download.close()
            self._count_hours_without_files(span)

    def _write_all(self, arrivals: Iterable[Arrived | None]) -> None:
        disk_bytes = self._amplitude.limits.disk_bytes
        for arrived in arrivals:
            if arrived is None:
                _logger.info("Still waiting for Amplitude.")
                continue
            self._in_flight.append(self._begin(arrived))
            # One archive is written while the next one arrives, unless both might be more than the disk is to hold; a
            # broken hour of the last one is asked for again.
            shows_all_output = self._archives.nothing_follows or 2 * arrived.download.archive_bytes > disk_bytes
            while len(self._in_flight) > (0 if shows_all_output else _ARCHIVES_AT_ONCE - 1):
                self._finish(self._in_flight[0])
                self._in_flight.popleft()
            self._archives.raise_if_stopped()

    def _begin(self, arrived: Arrived) -> _InFlight:
        archive, hours = arrived.download.archive, deque[Future[HourResult]]()
        for hour, members in sorted(arrived.hours.items()):
            if archive is not None:
                hours.append(self._pool.submit(self._writer(arrived, hour).write, archive, members))
        return _InFlight(arrived, hours)

    def _writer(self, arrived: Arrived, hour: datetime) -> HourWriter:
        before, asked_at = self._manifests.get(hour), arrived.download.asked_at
        is_due = before is not None and self._is_due(before, asked_at)
        found = FoundHour(hour_window(hour), before, self._inventory.sizes(hour), is_due)
        return HourWriter(self.store, self._format, found, asked_at, self._archives.raise_if_stopped)

    def _is_due(self, before: Manifest, asked_at: datetime) -> bool:
        """Return whether the time of the latest look tells the next run anything new."""
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
                for rest in flight.hours:  # they come again with it
                    rest.cancel()
                wait(flight.hours)
                arrived.download.close()
                self._note_hours_without_files(arrived, before=result.window.start)
                return
        arrived.download.close()
        self._archives.finish(arrived)
        self._note_hours_without_files(arrived, before=arrived.download.window.end)

    def _count(self, result: HourResult, manifest: Manifest, asked_at: datetime) -> None:
        self._manifests[result.window.start] = manifest
        members = {each.member: each.content for each in manifest.objects}
        self._ledger.mark_done(result.window.start, members, asked_at=asked_at)
        self.landing.add(result)
        _logger.info("%s", result)

    def _count_what_was_landed(self, flight: _InFlight) -> None:
        """Count the hours of an archive that were landed although the run ended before it asked for them."""
        for future in flight.hours:
            if future.cancelled() or future.exception() is not None:
                continue
            result = future.result()
            if result.manifest is not None:
                self._count(result, result.manifest, flight.arrived.download.asked_at)

    def _note_hours_without_files(self, arrived: Arrived, *, before: datetime) -> None:
        if not arrived.is_proof:
            return
        asked_at = arrived.download.asked_at
        for unit in plan(whole_units(arrived.download.window), 1):
            start = unit.start
            if start in arrived.hours or start >= before:
                continue
            landed = self._manifests.get(start)
            if landed is not None and landed.state is HourState.DONE:
                _logger.warning("Amplitude has no files for %s any more; what was landed stays.", landed.window)
                if self._is_due(landed, asked_at):
                    self._note(replace(landed, asked_at=asked_at.replace(microsecond=0)))
                continue
            self._note_nothing(unit, landed, asked_at)

    def _note_nothing(self, window: HourWindow, before: Manifest | None, asked_at: datetime) -> None:
        state = HourState.EMPTY if window.start in self._ledger.settled else HourState.OPEN
        note = Manifest(window, state, asked_at.replace(microsecond=0))
        if (
            before is not None
            and before.state is state
            and (state is HourState.EMPTY or not self._ripened(before, note))
        ):
            return
        self._note(note)

    def _ripened(self, before: Manifest, now: Manifest) -> bool:
        """Return whether an hour came of the age at which finding nothing may mean that it is empty."""
        return before.asked_at < conclusive_at(before.window.start, self.config.export_delay_hours) <= now.asked_at

    def _note_failures(self) -> None:
        for window, error in self.landing.tally.failures:
            for unit in plan(whole_units(window), 1):
                before = self._manifests.get(unit.start)
                if before is None or before.state not in (HourState.DONE, HourState.EMPTY):
                    failed_at = before.asked_at if before else window.end
                    self._note(Manifest(unit, HourState.FAILED, failed_at, reason=error.what))

    def _note_hours_that_proved_empty(self) -> None:
        for start, manifest in list(self._manifests.items()):
            if manifest.state is HourState.OPEN and start in self._ledger.settled:
                self._note(Manifest(manifest.window, HourState.EMPTY, manifest.asked_at))

    def _note(self, manifest: Manifest) -> None:
        before = self._manifests.get(manifest.window.start)
        self._manifests[manifest.window.start] = manifest
        self._notes.append(self._pool.submit(write_manifest, self.store, manifest, before))

    def _wait_for_notes(self) -> None:
        while self._notes:
            self._notes.pop().result()

    def _count_hours_without_files(self, span: HourWindow) -> None:
        for manifest in self._manifests.values():
            if manifest.window.start in span:
                self.landing.hours_open += manifest.window.hours * (manifest.state is HourState.OPEN)
                self.landing.hours_empty += manifest.window.hours * (manifest.state is HourState.EMPTY)
        unverified = self.landing.tally.unverified
        self.landing.hours_open += sum(hour_window(hour).start not in self._manifests for hour in unverified)
