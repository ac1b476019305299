"""Discover new events by downloading archives: it finds late files, and counts or reads their lines."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from source_amplitude.config import MalformedLines
from source_amplitude.encoding import Encoded, SerialEncoder, encode_line_by_line
from source_amplitude.export import ExportReader, HourDone
from source_amplitude.windows import HourSet, HourWindow

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.encoding import Encoding
    from source_amplitude.export import Amplitude
    from source_amplitude.ledger import Ledger

T = TypeVar("T")

_NEVER_HOURS = 1_000_000


class DownloadDiscovery(Generic[T]):
    """Downloads every archive and records the length of each member, to find late files.

    Args:
        encoding: Encodes the lines for `take`.
        most_bytes: Stop after the hour that reaches this many bytes of JSON; None: no limit.
    """

    def __init__(self, amplitude: Amplitude, encoding: Encoding[T], most_bytes: int | None = None) -> None:
        self._amplitude = amplitude
        self._most_bytes = most_bytes
        self._encoding = encoding
        self._payloads: list[T] = []

    def discover(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        config, was_open = self._amplitude.config, ledger.open
        ledger.forget_final_hours(config.recheck_hours)
        amplitude = replace(
            self._amplitude,
            # The last age is never reached: the ledger must keep an hour's members after its last recheck, because
            # the next offset needs them once.
            config=replace(config, recheck_hours=(*config.recheck_hours, _NEVER_HOURS)),
            limits=replace(self._amplitude.limits, same_failures_to_stop=1),
        )
        reader = ExportReader(amplitude, ledger, self._encoding, stop=threading.Event())
        end = fresh.windows[-1].end if fresh.windows else span.end
        self._payloads, opened_hours = [], 0
        try:
            with closing(reader.read(HourWindow(span.start, end), recheck=True)) as steps:
                for step in steps:
                    if isinstance(step, Encoded):
                        self._payloads.append(step.payload)
                    elif isinstance(step, HourDone):
                        opened_hours += step.window.hours if step.window.start in was_open else 0
                        if _reaches(opened_hours, most) or _reaches(reader.stats.content_bytes, self._most_bytes):
                            break
        finally:
            reader.stats.oddities.log_warnings(str(span))
        ledger.forget_malformed_lines()  # every offset would repeat them
        return []

    def take(self) -> list[T]:
        """Return the encoded lines of the latest `discover`, and forget them."""
        payloads, self._payloads = self._payloads, []
        return payloads


def counting_discovery(amplitude: Amplitude) -> DownloadDiscovery[None]:
    """Return a discovery that only counts lines; tasks read the same lines and report malformed ones."""
    skipping = replace(amplitude.config, malformed_lines=MalformedLines.SKIP)
    return DownloadDiscovery(replace(amplitude, config=skipping), SerialEncoder(count_lines))


def count_lines(body: bytes) -> Encoded[None]:
    """Return the number of lines; report the last one as malformed if it is incomplete.

    A line is incomplete if it has no line end and is not a JSON object. Amplitude may complete it later, so it must not
    count as read (see `HourReading.note`).
    """
    lines = body.count(b"\n")
    if body.endswith(b"\n"):
        return Encoded(None, 0, lines)
    last = encode_line_by_line(body[body.rfind(b"\n") + 1 :], lambda record: record)
    return Encoded(None, 0, lines + 1, (lines,) if last.malformed else ())


def _reaches(count: int, most: int | None) -> bool:
    return most is not None and count >= most
