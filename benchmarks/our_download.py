"""Download and verify archives with our own code, as ``land`` does before it writes.

``python our_download.py CONFIG START END`` with hours such as ``2026-01-01T05`` prints a line for each archive.
"""

from __future__ import annotations

import os
import sys
import threading

from source_amplitude.commands.session import Session, moment, span
from source_amplitude.config.file import read_config
from source_amplitude.export import Archives, SyncStats
from source_amplitude.ledger import Ledger
from source_amplitude.windows import HourSet


def main() -> None:
    """Run the command line."""
    session = Session.of(os.environ)
    config = read_config(sys.argv[1])
    amplitude = session.amplitude(config)
    amplitude.connect()
    hours = [moment("hour", text, session.clock.now()) for text in sys.argv[2:]]
    archives = Archives(amplitude, Ledger(), stop=threading.Event(), stats=SyncStats())
    for arrived in archives.ask(span(*hours), recheck=False, reread=HourSet()):
        if arrived is not None:
            arrived.download.close()
            print(arrived.download.window)


if __name__ == "__main__":
    main()
