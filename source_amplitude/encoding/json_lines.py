"""The hot path: encode a batch of raw lines as JSON lines with one record each."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.encoding.encoded import Encoded, encode_line_by_line, has_msgspec
from source_amplitude.records import dump_record

if TYPE_CHECKING:
    from source_amplitude.encoding.quick_lines import QuickBatch
    from source_amplitude.records import Record


@dataclass(frozen=True)
class JsonLines:
    """Writes each record of a batch between ``prefix`` and the batch's suffix."""

    prefix: bytes

    def encode(self, body: bytes, suffix: bytes) -> Encoded[bytes]:
        """Return the records of ``body`` as one payload, without blank lines; each record ends with ``suffix``."""
        if has_msgspec():
            from source_amplitude.encoding.quick_lines import read_quickly  # noqa: PLC0415 - on demand

            with suppress(RecursionError):
                return self._encode(read_quickly(body, dump_record), suffix)
        return self.encode_line_by_line(body, suffix)

    def encode_with_event_types(self, body: bytes, suffix: bytes) -> tuple[Encoded[bytes], list[object]]:
        """Return the same as `encode`, and the ``event_type`` of each record in any order."""
        event_types: list[object] = []

        def finish_record(record: Record) -> bytes:
            event_type, dumped = record.get("event_type"), dump_record(record)
            event_types.append(event_type)
            return dumped

        if has_msgspec():
            from source_amplitude.encoding.quick_lines import read_quickly  # noqa: PLC0415 - on demand

            with suppress(RecursionError):
                batch = read_quickly(body, finish_record)
                event_types += map(batch.struct.getters["event_type"], batch.events)
                return self._encode(batch, suffix), event_types
            event_types.clear()
        return self._joined(encode_line_by_line(body, finish_record), suffix), event_types

    def encode_line_by_line(self, body: bytes, suffix: bytes) -> Encoded[bytes]:
        """Do the same as `encode`, slowly."""
        return self._joined(encode_line_by_line(body, dump_record), suffix)

    def _encode(self, batch: QuickBatch[bytes], suffix: bytes) -> Encoded[bytes]:
        from source_amplitude.encoding.quick_lines import dump_events, dump_lines  # noqa: PLC0415 - on demand

        if batch.others:
            return self._joined(batch.encoded(batch.merged(dump_events(batch.events), batch.others)), suffix)
        if not batch.events:
            return batch.encoded(b"")
        # Faster than joining the events. No event contains a line feed.
        records = dump_lines(batch.events).replace(b"\n", suffix + self.prefix)
        return batch.encoded(b"".join((self.prefix, memoryview(records)[: -len(self.prefix) or None])))

    def _joined(self, each: Encoded[list[bytes]], suffix: bytes) -> Encoded[bytes]:
        pieces = each.payload
        payload = b"".join((self.prefix, (suffix + self.prefix).join(pieces), suffix)) if pieces else b""
        return Encoded(payload, each.records, each.lines, each.malformed, each.findings)
