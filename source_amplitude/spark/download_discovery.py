"""What is new in archives, learnt by downloading them: late files are found, and lines are counted or read."""

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
    """Downloads every archive and remembers how much of each member there is, so that late files are found.

    Args:
        encoding: Makes what `take` returns of the lines.
        most_bytes: After so much JSON it ends with the hour it is at; None: after all of them.
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
            # The last age is never reached: what the last look at an hour finds must stay in the offset for once.
            config=replace(config, recheck_hours=(*config.recheck_hours, _NEVER_HOURS)),
            limits=replace(self._amplitude.limits, same_failures_to_stop=1),
        )
        reader = ExportReader(amplitude, ledger, self._encoding, stop=threading.Event())
        end = fresh.windows[-1].end if fresh.windows else span.end
        self._payloads, landed = [], 0
        try:
            with closing(reader.read(HourWindow(span.start, end), recheck=True)) as steps:
                for step in steps:
                    if isinstance(step, Encoded):
                        self._payloads.append(step.payload)
                    elif isinstance(step, HourDone):
                        landed += step.window.hours if step.window.start in was_open else 0
                        if _reaches(landed, most) or _reaches(reader.stats.content_bytes, self._most_bytes):
                            break
        finally:
            reader.stats.oddities.log_warnings(str(span))
        ledger.forget_malformed_lines()  # a sync names them each time, and Spark would write them each time
        return []

    def take(self) -> list[T]:
        """Return what came of the lines in the latest call, once."""
        payloads, self._payloads = self._payloads, []
        return payloads


def counting_discovery(amplitude: Amplitude) -> DownloadDiscovery[None]:
    """Return looks that only count: what is malformed is the business of the tasks, which read the same lines."""
    skipping = replace(amplitude.config, malformed_lines=MalformedLines.SKIP)
    return DownloadDiscovery(replace(amplitude, config=skipping), SerialEncoder(count_lines))


def count_lines(body: bytes) -> Encoded[None]:
    """Return how many lines there are, and whether the last one has no end and is no JSON object either.

    Such a line may be completed later, and must not count as read (see `HourReading.note`).
    """
    lines = body.count(b"\n")
    if body.endswith(b"\n"):
        return Encoded(None, 0, lines)
    last = encode_line_by_line(body[body.rfind(b"\n") + 1 :], lambda record: record)
    return Encoded(None, 0, lines + 1, (lines,) if last.malformed else ())


def _reaches(count: int, most: int | None) -> bool:
    return most is not None and count >= most
