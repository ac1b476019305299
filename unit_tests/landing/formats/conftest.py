from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.landing.formats.rendering import archive_of_hour

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from source_amplitude.archive import Archive


@pytest.fixture
def hour(emulator: Emulator) -> tuple[Archive, dict[str, list[bytes]]]:
    """An hour of 400 sample events as an archive, and the stored lines of each of its members."""
    return archive_of_hour(emulator, 400)
