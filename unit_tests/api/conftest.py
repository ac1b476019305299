from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from source_amplitude.api import AmplitudeClient, Host, base_url
from source_amplitude.config import Keys, Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amplitude_emulator import Emulator

KEYS = Keys("key with spaces", "secrét/+")


@pytest.fixture
def client() -> Iterator[AmplitudeClient]:
    """The client of a project that does not exist; nothing leaves the machine."""
    urls = [base_url(Region.STANDARD, None, host) for host in (Host.REST, Host.DATA)]
    client = AmplitudeClient(base_url=urls[0], region=Region.STANDARD, keys=KEYS, data_url=urls[1])
    yield client
    client.close()


@pytest.fixture
def local(emulator: Emulator) -> Iterator[AmplitudeClient]:
    """The client of the emulator's project."""
    project = emulator.project
    urls = [base_url(Region.STANDARD, emulator.url, host) for host in (Host.REST, Host.DATA)]
    keys = Keys(project.api_key, project.secret_key)
    client = AmplitudeClient(base_url=urls[0], region=Region.STANDARD, keys=keys, data_url=urls[1])
    yield client
    client.close()
