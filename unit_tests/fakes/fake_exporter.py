"""An Amplitude in memory: answers exports from a script, one answer a window, and counts what is under way."""

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
    """Stands for the `AmplitudeClient` of a download: has its `export`, and no Date.

    Args:
        answers: For each window the bodies or errors of its successive requests; None is a 404. The last one
            is repeated.

    Attributes:
        most_at_once: The largest number of requests that were under way together.
        gate: While it is clear, requests wait before they answer.
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
        """Return when so many requests have come in."""
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
