"""One run of ``land``: what the store lacks of a span of hours is asked for, proven, written and noted."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from source_amplitude.errors import HoursMissingError, OtherProjectError, counted
from source_amplitude.export import Archives, Arrived, LinePlace, ProgressListener, SyncStats, hours_still_flawed
from source_amplitude.landing.hour import HourLanding, HourResult, write_manifest
from source_amplitude.landing.inventory import landed_hours, ledger_of, require_fitting, take_inventory
from source_amplitude.landing.manifest import HourState, Manifest
from source_amplitude.ledger import came_of_age, ripe_at
from source_amplitude.windows import HourSet, HourWindow, hour_window

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
class Landing:
    """What a run did, hour by hour in ``tally`` and in sums.

    Attributes:
        tally: Failures, malformed lines, archive bytes.
        hours_done: Hours whose objects are all there now, of those that were asked for.
        hours_empty: Hours that Amplitude has no files for, for good.
        hours_open: Hours that it has none for yet.
        written: Objects that were not there.
        replaced: Objects whose bytes had changed at Amplitude, or in the store.
        unchanged: Objects that were there as Amplitude has them.
        written_bytes: Size of the written and the replaced ones.
        events: Events of the hours that are done.
        changed_days: Days that got objects.
    """

    tally: SyncStats = field(default_factory=SyncStats)
    hours_done: int = 0
    hours_empty: int = 0
    hours_open: int = 0
    written: int = 0
    replaced: int = 0
    unchanged: int = 0
    written_bytes: int = 0
    events: int = 0
    changed_days: set[datetime] = field(default_factory=set)

    def add(self, result: HourResult) -> None:
        """Count an hour that is done."""
        self.hours_done += result.window.hours
        self.written += result.written
        self.replaced += result.replaced
        self.unchanged += result.unchanged
        self.written_bytes += result.written_bytes
        self.events += result.events
        for member, line in result.malformed:
            self.tally.add_malformed(LinePlace(result.window, member, line))
        self.tally.malformed_lines += result.malformed_lines - len(result.malformed)
        for member, findings in result.findings:
            self.tally.add_findings(findings, result.window, member)
        if result.written or result.replaced:
            self.changed_days.add(result.window.start.replace(hour=0))

    @property
    def is_begun(self) -> bool:
        """Whether anything came of the run, good or bad."""
        return bool(self.hours_done or self.hours_empty or self.hours_open or self.tally.failures)

    def stats(self) -> SyncStats:
        """Return how far the run is; may be asked by another thread."""
        return replace(self.tally, hours_done=self.hours_done, records=self.events, content_bytes=self.written_bytes)

    def summary(self, span: HourWindow, place: str, seconds: float) -> str:
        """Return what a person wants to know of the run, in one line.

        Args:
            span: What was to be landed.
            place: Where to.
            seconds: How long it took.
        """
        if self.written or self.replaced:
            kinds = (
                f"{counted(self.written, 'object')} written",
                f"{self.replaced:,} replaced",
                f"{self.unchanged:,} unchanged",
            )
            parts = [f"{', '.join(kinds)} ({self.written_bytes / 1e6:,.1f} MB)"]
        else:
            parts = [f"nothing new ({counted(self.unchanged, 'object')} compared)"]
        parts.append(f"{counted(self.hours_done, 'hour')} done with {counted(self.events, 'event')}")
        failed = sum(window.hours for window, _ in self.tally.failures)
        hours = {"empty": self.hours_empty, "open": self.hours_open, "failed": failed}
        parts += [f"{counted(count, 'hour')} {what}" for what, count in hours.items() if count]
        if self.tally.malformed_lines:
            parts.append(f"{counted(self.tally.malformed_lines, 'malformed line')} left out")
        parts += self.tally.oddities.summary_parts()
        return f"{place}, {span}: {'; '.join(parts)}; {seconds:.1f} s."


@dataclass
class _InFlight:
    """An archive whose hours are being written; those that were counted are no longer among them."""

    arrived: Arrived
    hours: deque[Future[HourResult]]


class Lander:
    """Lands hours in a store.

    Args:
        amplitude: Amplitude and the present.
        store: Where to.
        form: In which form.
        stop: Once set, a run ends with a StoppedError when the objects being written are.
        audience: Who watches.

    Attributes:
        config: The user's configuration.
        audience: As above.
        landing: What was done so far.
        store: As above.
    """

    def __init__(
        self,
        amplitude: Amplitude,
        store: Store,
        form: Format,
        stop: threading.Event,
        audience: ProgressListener | None = None,
    ) -> None:
        self.landing = Landing()
        self.audience = audience or ProgressListener()
        self._amplitude = amplitude
        self.config = amplitude.config
        self.store = store
        self._form = form
        self._stop = stop

    def land(self, span: HourWindow, *, only_missing: bool) -> None:
        """Land what the store lacks of ``span``, or whatever Amplitude has for it, and compare.

        Args:
            span: Published hours.
            only_missing: Ask only for hours that are missing or short, that Amplitude had nothing for yet, or that were
                landed so early that late files are to be looked for (``recheck_hours``).

        Raises:
            HoursMissingError: At the end, when windows failed; or earlier, when they keep failing alike.
            MalformedLinesError: At the end, by the policy for malformed lines.
            AmplitudeError: What is not about one window; what was landed before stays.
        """
        hours = landed_hours(self.store)
        self._amplitude.require_current_date(None, hours[-1] if hours else None)
        inventory = take_inventory(self.store, span, hours, look_around=True)
        require_fitting(inventory, self._form.name, self.store.place)
        ledger = ledger_of(inventory, export_delay_hours=self.config.export_delay_hours)
        run = _Run(self._amplitude, self.store, self._form, self._stop, inventory, ledger, self.landing)
        policy = self.config.malformed_lines
        reread = hours_still_flawed(ledger, policy) if only_missing else HourSet((span,))
        self.audience.begin("land", self.landing.stats)
        try:
            run.land(span, reread=reread, recheck=only_missing)
            self.landing.tally.raise_what_is_left(ledger, policy, tried="All other hours were landed.")
        except OtherProjectError:
            raise OtherProjectError(
                f"The archives belong to another project than what {self.store.place} holds ({ledger.project}).",
                tried="Nothing of the archive was landed.",
                next_step="Use one prefix for each project.",
            ) from None
        except HoursMissingError as error:
            error.advice = _AGAIN
            raise
        finally:
            self.landing.tally.oddities.log_warnings(str(span))


class _Run:
    """The moving parts of one run."""

    def __init__(
        self,
        amplitude: Amplitude,
        store: Store,
        form: Format,
        stop: threading.Event,
        inventory: Inventory,
        ledger: Ledger,
        landing: Landing,
    ) -> None:
        self.landing = landing
        self._config = amplitude.config
        self._store = store
        self._form = form
        self._ledger = ledger
        self._inventory = inventory
        self._manifests = dict(inventory.manifests)
        self._disk_bytes = amplitude.limits.disk_bytes
        self._archives = Archives(amplitude, ledger, stop=stop, stats=self.landing.tally)
        self._pool = ThreadPoolExecutor(form.hours_at_once, thread_name_prefix="landing")
        self._in_flight: deque[_InFlight] = deque()
        self._notes: list[Future[Manifest]] = []

    def land(self, span: HourWindow, *, reread: HourSet, recheck: bool) -> None:
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
        for arrived in arrivals:
            if arrived is None:
                _logger.info("Still waiting for Amplitude.")
                continue
            self._in_flight.append(self._begin(arrived))
            # One archive is written while the next one arrives, unless both might be more than the disk is to hold; a
            # broken hour of the last one is asked for again.
            is_alone = self._archives.nothing_follows or 2 * arrived.download.archive_bytes > self._disk_bytes
            while len(self._in_flight) > (0 if is_alone else _ARCHIVES_AT_ONCE - 1):
                self._finish(self._in_flight[0])
                self._in_flight.popleft()
            self._archives.raise_if_stopped()

    def _begin(self, arrived: Arrived) -> _InFlight:
        archive, hours = arrived.download.archive, deque[Future[HourResult]]()
        for hour, members in sorted(arrived.hours.items()):
            if archive is not None:
                hours.append(self._pool.submit(self._hour(arrived, hour).land, archive, members))
        return _InFlight(arrived, hours)

    def _hour(self, arrived: Arrived, hour: datetime) -> HourLanding:
        before, asked_at = self._manifests.get(hour), arrived.download.asked_at
        return HourLanding(
            store=self._store,
            form=self._form,
            window=hour_window(hour),
            asked_at=asked_at,
            before=before,
            there=self._inventory.sizes(hour),
            is_due=before is not None and self._is_due(before, asked_at),
            raise_if_stopped=self._archives.raise_if_stopped,
        )

    def _is_due(self, before: Manifest, asked_at: datetime) -> bool:
        """Return whether the time of the latest look tells the next run anything new."""
        return came_of_age(before.window, self._config.recheck_hours, since=before.asked_at, until=asked_at)

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
        self._ledger.land(result.window.start, members, asked_at=asked_at)
        self.landing.add(result)
        self.landing.tally.succeed()
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
        for start in dict.fromkeys(hour_window(hour).start for hour in arrived.download.window):
            if start in arrived.hours or start >= before:
                continue
            landed = self._manifests.get(start)
            if landed is not None and landed.state is HourState.DONE:
                _logger.warning("Amplitude has no files for %s any more; what was landed stays.", landed.window)
                if self._is_due(landed, asked_at):
                    self._note(replace(landed, asked_at=asked_at.replace(microsecond=0)))
                continue
            self._note_nothing(hour_window(start), landed, asked_at)

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
        return before.asked_at < ripe_at(before.window.start, self._config.export_delay_hours) <= now.asked_at

    def _note_failures(self) -> None:
        for window, error in self.landing.tally.failures:
            for start in dict.fromkeys(hour_window(hour).start for hour in window):
                before = self._manifests.get(start)
                if before is None or before.state not in (HourState.DONE, HourState.EMPTY):
                    failed_at = before.asked_at if before else window.end
                    self._note(Manifest(hour_window(start), HourState.FAILED, failed_at, reason=error.what))

    def _note_hours_that_proved_empty(self) -> None:
        for start, manifest in list(self._manifests.items()):
            if manifest.state is HourState.OPEN and start in self._ledger.settled:
                self._note(Manifest(manifest.window, HourState.EMPTY, manifest.asked_at))

    def _note(self, manifest: Manifest) -> None:
        before = self._manifests.get(manifest.window.start)
        self._manifests[manifest.window.start] = manifest
        self._notes.append(self._pool.submit(write_manifest, self._store, manifest, before))

    def _wait_for_notes(self) -> None:
        while self._notes:
            self._notes.pop().result()

    def _count_hours_without_files(self, span: HourWindow) -> None:
        for manifest in self._manifests.values():
            if manifest.window.start in span:
                self.landing.hours_open += manifest.window.hours * (manifest.state is HourState.OPEN)
                self.landing.hours_empty += manifest.window.hours * (manifest.state is HourState.EMPTY)
