"""``python -m source_amplitude.encoding.worker`` encodes batches until the main process closes the socket.

Python's threads share one interpreter lock, so several cores need several processes. A worker reads only its socket and
the shared memory, so it ends with the main process, even if that is killed.
"""

from __future__ import annotations

import sys
from itertools import count
from multiprocessing.connection import Connection

from source_amplitude.encoding.encoded import BATCH_BYTES
from source_amplitude.encoding.json_lines import JsonLines
from source_amplitude.encoding.processes import RESULT_ROOM_BYTES, SharedSlots
from source_amplitude.records.findings import NO_FINDINGS


def work(connection: Connection, slots: SharedSlots) -> None:
    """Encode batches and send the results as messages for `processes.Worker`.

    Raises:
        EOFError, ConnectionError: The main process has closed the connection.
    """
    lines = JsonLines(connection.recv_bytes())
    for number in count():
        batch_bytes, _, suffix = connection.recv_bytes().partition(b" ")
        placed_bytes = records = line_count = 0
        malformed: list[int] = []
        findings = NO_FINDINGS
        overflow: list[bytes] = []
        for part in slots.batch_parts(number, int(batch_bytes), BATCH_BYTES):
            encoded = lines.encode(part, suffix)
            if not overflow and placed_bytes + len(encoded.payload) <= RESULT_ROOM_BYTES:
                slots.put_result(number, placed_bytes, encoded.payload)
                placed_bytes += len(encoded.payload)
            else:
                overflow.append(encoded.payload)
            malformed += [line_count + position for position in encoded.malformed]
            findings = findings.followed_by(encoded.findings, lines_before=line_count)
            records += encoded.records
            line_count += encoded.lines
        connection.send((placed_bytes, records, line_count, tuple(malformed), findings or None))
        connection.send_bytes(b"".join(overflow))


def main(connection_descriptor: int, memory_descriptor: int) -> None:
    with Connection(connection_descriptor) as connection:
        try:
            work(connection, SharedSlots(memory_descriptor))
        except (EOFError, ConnectionError):
            return


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
