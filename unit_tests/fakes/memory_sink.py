"""An in-memory sink."""

from __future__ import annotations

import io


class MemorySink(io.BytesIO):
    """Implements `source_amplitude.api.client.ByteSink`."""

    def expect(self, total_bytes: int, /) -> None: ...
