"""What every command runs in: its log lines on stderr, its errors as one readable text, its wiring."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.api import redact
from source_amplitude.clock import SystemClock
from source_amplitude.errors import AmplitudeError, InvalidConfigError
from source_amplitude.export import Amplitude, Limits
from source_amplitude.landing.place import StoreSettings
from source_amplitude.terminal.typed import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from source_amplitude.clock import Clock
    from source_amplitude.config import Config, Keys

_logger = logging.getLogger("airbyte")

EXIT_FAILED, EXIT_USAGE = 1, 2


@dataclass(frozen=True)
class Session:
    """Where a command gets time, patience and addresses from; tests pass their own.

    Attributes:
        environ: Where ``AMPLITUDE_API_URL`` is looked up.
        settings: Bounds of waiting for Amplitude.
        store_settings: Bounds of waiting for the store.
        clock: Our own time.
        program: How this program was called, for hints.
    """

    environ: Mapping[str, str]
    settings: Limits
    store_settings: StoreSettings
    clock: Clock
    program: tuple[str, ...] = (PROGRAM,)

    @classmethod
    def of(
        cls,
        environ: Mapping[str, str],
        settings: Limits | None = None,
        store_settings: StoreSettings | None = None,
        clock: Clock | None = None,
        program: tuple[str, ...] = (PROGRAM,),
    ) -> Session:
        """Return a session with the usual patience where nothing else is given."""
        patience = settings or Limits(), store_settings or StoreSettings()
        return cls(environ, *patience, clock or SystemClock(), program)

    def amplitude(self, config: Config) -> Amplitude:
        """Return Amplitude as the configuration and the environment describe it.

        Raises:
            InvalidConfigError: AMPLITUDE_API_URL cannot be used.
        """
        return Amplitude.of(config, self.settings, self.clock, self.environ.get("AMPLITUDE_API_URL"))


def complain(error: AmplitudeError, keys: Keys | None = None) -> int:
    """Print an error on stderr, without any form of the keys; return the exit code: 2 where an option is wrong."""
    text = str(error)
    sys.stderr.write(f"source-amplitude: {redact(text, keys) if keys else text}\n")
    is_usage = isinstance(error, InvalidConfigError) and all(each.startswith("--") for each in error.problems)
    return EXIT_USAGE if is_usage else EXIT_FAILED


class _OnStderr(logging.Handler):
    """Writes to what stderr is at the moment: a line of progress puts itself below what is printed."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


@contextmanager
def logs_on_stderr(level: int = logging.INFO) -> Iterator[list[Keys]]:
    """Print log lines on stderr; keys that are put into the yielded list are masked in them."""
    keys: list[Keys] = []

    class Masked(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            text = super().format(record)
            for each in keys:
                text = redact(text, each)
            return text

    handler = _OnStderr()
    formatter = Masked("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    before = _logger.level, _logger.propagate
    _logger.addHandler(handler)
    _logger.setLevel(level)
    _logger.propagate = False
    try:
        yield keys
    finally:
        _logger.removeHandler(handler)
        _logger.setLevel(before[0])
        _logger.propagate = before[1]
