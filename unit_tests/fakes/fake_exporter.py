"""An in-memory Amplitude: returns scripted responses by window, and counts concurrent requests."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from source_amplitude.api import ExportResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from source_amplitude.api.client import ByteSink
    from source_amplitude.windows import HourWindow

WAIT_SECONDS = 10

Scripted = bytes | Exception | None


class FakeExporter:
    """Replaces the `AmplitudeClient` of a download; its responses have no ``Date`` header.

    Args:
        answers: The bodies or errors of successive requests by window; None is a 404. The last one is repeated.

    Attributes:
        most_at_once: The largest number of concurrent requests.
        asked: The windows of all requests so far.
        gate: Requests wait for a response until it is set.
    """

    def __init__(self, answers: Mapping[HourWindow, list[Scripted]]) -> None:
        self._answers = {window: list(script) for window, script in answers.items()}
        self._under_way = 0
        self._changed = threading.Condition()
        self.most_at_once = 0
        self.asked: list[HourWindow] = []
        self.gate = threading.Event()
        self.gate.set()
        self.server_date: datetime | None = None

    def wait_until_asked(self, times: int) -> None:
        """Wait until ``times`` requests have arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= times, WAIT_SECONDS)

    def export(self, window: HourWindow, sink: ByteSink) -> ExportResponse:
        with self._changed:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            self.asked.append(window)
            self._changed.notify_all()
            script = self._answers.get(window, [None])
            answer = script.pop(0) if len(script) > 1 else script[0]
        try:
            assert self.gate.wait(WAIT_SECONDS)
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                return ExportResponse.NOTHING
            sink.expect(len(answer))
            sink.write(answer)
            return ExportResponse.ARCHIVE
        finally:
            with self._changed:
                self._under_way -= 1
