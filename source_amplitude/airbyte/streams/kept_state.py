"""The state of an incremental stream, kept as it is between what the platform hands over and what is emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airbyte_cdk.sources.streams import CheckpointMixin

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class KeptState(CheckpointMixin):
    """Gives a stream a state and a cursor of its own choice; the stream sets ``_state`` when something is done."""

    source_defined_cursor = True
    _state: MutableMapping[str, Any]

    @property
    def state(self) -> MutableMapping[str, Any]:
        """The state as Airbyte keeps it; its form is the stream's."""
        return self._state

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = value
