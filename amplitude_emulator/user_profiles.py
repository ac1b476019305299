"""The state of users and groups between uploads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from amplitude_emulator.property_operations import Properties, apply_properties

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Profile:
    """The current state of a user, exported with each event (reference 6.5).

    ``paying`` is true after any revenue, or any text that a sender set (reference 6.6, 7).
    """

    properties: Properties = field(default_factory=dict)
    paying: bool | str | None = None
    start_version: str | None = None


class Profiles:
    """Profiles by amplitude id, and properties of groups. Not thread-safe."""

    def __init__(self) -> None:
        self._users: dict[int, Profile] = {}
        self._groups: dict[tuple[str, str], Properties] = {}

    def of(self, amplitude_id: int) -> Profile:
        """Return a user's profile; an empty one for new users."""
        return self._users.get(amplitude_id, Profile())

    def update_properties(self, amplitude_id: int, change: Mapping[str, object]) -> Profile:
        """Apply plain properties or operations and return the new profile."""
        old = self.of(amplitude_id)
        profile = replace(old, properties=apply_properties(old.properties, change))
        self._users[amplitude_id] = profile
        return profile

    def note_start_version(self, amplitude_id: int, version: object) -> None:
        """Record a user's first app version."""
        profile = self.of(amplitude_id)
        if profile.start_version is None and isinstance(version, str):
            self._users[amplitude_id] = replace(profile, start_version=version)

    def set_paying(self, amplitude_id: int, paying: bool | str) -> None:  # noqa: FBT001 - the value itself
        """Set the ``paying`` of later events."""
        self._users[amplitude_id] = replace(self.of(amplitude_id), paying=paying)

    def update_group(self, group_type: str, group_name: str, change: Mapping[str, object]) -> None:
        """Apply properties or operations to a group."""
        group = (group_type, group_name)
        self._groups[group] = apply_properties(self._groups.get(group, {}), change)

    def group_properties(self, groups: Mapping[str, list[str]]) -> dict[str, object]:
        """Return the properties of groups: ``{type: {name: properties}}`` (reference 7)."""
        known: dict[str, dict[str, object]] = {}
        for group_type, names in groups.items():
            for name in names:
                if (group_type, name) in self._groups:
                    known.setdefault(group_type, {})[name] = self._groups[group_type, name]
        return dict(known)

    def clear(self) -> None:
        """Remove all users and groups."""
        self._users.clear()
        self._groups.clear()
