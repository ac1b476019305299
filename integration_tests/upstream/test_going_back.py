"""Going back (docs/migrating-from-airbyte.md): 0.6.19 makes no progress from our state until it is converted."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from integration_tests.upstream.scene import BEHIND_AT_FIRST, by_uuid, fill

if TYPE_CHECKING:
    from integration_tests.upstream.connectors import Message
    from integration_tests.upstream.scene import Scene

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]


def state_of(moment: str) -> Message:
    state = {"server_upload_time": moment}
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"}, "stream_state": state}}


def test_upstream_needs_our_state_in_its_own_form(scene: Scene) -> None:
    fill(scene)
    ours = scene.ours.read(scene.config)
    saved = str(ours.last_state["server_upload_time"])
    hour = datetime.strptime(saved, "%Y%m%dT%H").replace(tzinfo=timezone.utc)
    scene.emulator.clock.advance(BEHIND_AT_FIRST)

    still = scene.upstream.read(scene.config, ours.states[-1])
    again = scene.upstream.read(scene.config, still.states[-1])
    converted = scene.upstream.read(scene.config, state_of(f"{hour:%Y-%m-%d %H:%M:%S.%f}"))

    expected = scene.uuids(hour, scene.newest_hour)
    assert still.last_state == again.last_state == {"server_upload_time": saved}
    assert by_uuid(still).keys() == by_uuid(again).keys() == by_uuid(converted).keys() == expected
    assert str(converted.last_state["server_upload_time"]).startswith(f"{scene.newest_hour:%Y-%m-%d %H:}")
