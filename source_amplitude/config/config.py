"""The user's configuration, parsed once into a frozen object; every problem is reported together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from source_amplitude.errors import InvalidConfigError
from source_amplitude.windows import HOUR, UNIX_EPOCH, HourSet, HourWindow, floor_unit, parse_moment, whole_units

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

N = TypeVar("N", int, None)

_MAX_SHOWN_CHARS = 60

AMPLITUDE_BEGINNING = datetime(2010, 1, 1, tzinfo=timezone.utc)
"""Nothing is asked for before this day; Amplitude's first customers came after it."""


class Region(Enum):
    """Where Amplitude stores a project; the value is the spec's text for it."""

    STANDARD = "Standard Server"
    EU = "EU Residency Server"

    @property
    def other(self) -> Region:
        """The region that is not this one."""
        return Region.EU if self is Region.STANDARD else Region.STANDARD


class MalformedLines(Enum):
    """What a sync does about lines that are no JSON objects; the good lines are emitted in any case."""

    REPORT = "report"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Keys:
    """The project's API key and secret key; their text never appears in ``repr``."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Config:
    """The configuration with real types; the field names are the spec's where nothing else is said.

    Attributes:
        start: ``start_date`` rounded down to the hour (to the day before 2014-11-12), aware UTC, and not before
            `AMPLITUDE_BEGINNING`.
        end: ``end_date`` rounded down in the same way, exclusive; None without an end.
        window_hours: ``request_time_range``.
        recheck_hours: Ages in hours after an hour's end, ascending.
        accepted_gaps: Hours that count as read.
        num_processes: Processes that encode records; None for as many as the machine has processors.
        dashboard_lookback_days: The newest days of dashboards that every sync reads again.
        project_time_zone: None where it is not known.
        cohort_properties: User properties of cohort members; none for none.
    """

    keys: Keys
    region: Region
    start: datetime
    end: datetime | None = None
    window_hours: int = 4
    active_users_group_by_country: bool = True
    export_delay_hours: int = 3
    recheck_hours: tuple[int, ...] = (6, 24)
    accepted_gaps: HourSet = field(default_factory=HourSet)
    malformed_lines: MalformedLines = MalformedLines.REPORT
    num_workers: int = 4
    num_processes: int | None = None
    dashboard_lookback_days: int = 3
    project_time_zone: tzinfo | None = None
    cohort_ids: tuple[str, ...] = ()
    cohort_properties: tuple[str, ...] = ()
    composition_properties: tuple[str, ...] = ()
    chart_ids: tuple[str, ...] = ()


def parse_config(raw: Mapping[str, Any]) -> Config:
    """Return the configuration that ``raw`` (the JSON a user or Airbyte passes) describes.

    Keys that the spec does not know are ignored, as upstream does; a missing or null optional key takes its
    default.

    Raises:
        InvalidConfigError: One or more values cannot be used; it lists all of them.
    """
    fields = _Fields(raw)
    start = fields.moment("start_date", required=True)
    end = fields.moment("end_date")
    if start and end and end <= max(start, AMPLITUDE_BEGINNING):
        fields.problem("end_date", raw.get("end_date"), "is not after start_date, both rounded down to the hour")
    values: dict[str, Any] = {
        "keys": Keys(fields.key("api_key"), fields.key("secret_key")),
        "region": fields.choice("data_region", Region, Region.STANDARD),
        "start": start and max(start, AMPLITUDE_BEGINNING),
        "end": end,
        "window_hours": fields.whole_number("request_time_range", 4, 1, 8760),
        "active_users_group_by_country": fields.boolean("active_users_group_by_country", default=True),
        "export_delay_hours": fields.whole_number("export_delay_hours", 3, 1, 168),
        "recheck_hours": fields.ages("recheck_hours", (6, 24), 1, 720),
        "accepted_gaps": fields.gaps("accepted_gaps"),
        "malformed_lines": fields.choice("malformed_lines", MalformedLines, MalformedLines.REPORT),
        "num_workers": fields.whole_number("num_workers", 4, 1, 5),
        "num_processes": fields.whole_number("num_processes", None, 1, 16),
        "dashboard_lookback_days": fields.whole_number("dashboard_lookback_days", 3, 1, 90),
        "project_time_zone": fields.time_zone("project_time_zone"),
        "cohort_ids": fields.names("cohort_ids"),
        "cohort_properties": fields.names("cohort_properties"),
        "composition_properties": fields.names("composition_properties"),
        "chart_ids": fields.names("chart_ids"),
    }
    if fields.problems:
        raise InvalidConfigError(tuple(fields.problems))
    return Config(**values)


class _Fields:
    """Reads typed values out of a raw configuration and collects what is wrong with them."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self.problems: list[str] = []

    def problem(self, name: str, value: object, complaint: str) -> None:
        # Before it is cut: a part of a key that somebody put into the wrong field would be recognized by nobody.
        shown = "a key" if self._holds_a_key(value) else repr(value)
        if len(shown) > _MAX_SHOWN_CHARS:
            shown = shown[:_MAX_SHOWN_CHARS] + "..."
        self.problems.append(f"{name}: {shown} {complaint}")

    def _holds_a_key(self, value: object) -> bool:
        given = (self._raw.get("api_key"), self._raw.get("secret_key"))
        keys = [key.strip() for key in given if isinstance(key, str) and key.strip()]
        return any(
            form in text for key in keys for form in (key, repr(key)[1:-1]) for text in (str(value), repr(value))
        )

    def key(self, name: str) -> str:
        """Return a secret; its value is never shown."""
        value = self._raw.get(name)
        if isinstance(value, str) and value.strip() and _is_sendable(value):
            return value.strip()
        shape = "is missing" if value is None else "is empty" if value == "" else "is not a text with characters in it"
        self.problems.append(f"{name} {shape}")
        return ""

    def choice(self, name: str, kind: type[Enum], default: Enum) -> Enum:
        value = self._raw.get(name)
        if value is None:
            return default
        allowed = [member.value for member in kind]
        if value in allowed:
            return kind(value)
        self.problem(name, value, "is none of " + ", ".join(map(repr, allowed)))
        return default

    def whole_number(self, name: str, default: N, least: int, most: int) -> int | N:
        value = self._raw.get(name)
        if value is None:
            return default
        if _is_whole_number(value, least, most):
            return int(value)
        self.problem(name, value, f"is not a whole number from {least} to {most}")
        return default

    def boolean(self, name: str, *, default: bool) -> bool:
        value = self._raw.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem(name, value, "is neither true nor false")
        return bool(value)

    def ages(self, name: str, default: tuple[int, ...], least: int, most: int) -> tuple[int, ...]:
        value = self._raw.get(name)
        if value is None:
            return default
        if not isinstance(value, list) or not all(_is_whole_number(age, least, most) for age in value):
            self.problem(name, value, f"is not a list of whole numbers from {least} to {most}")
            return default
        return tuple(sorted(set(value)))

    def moment(self, name: str, *, required: bool = False) -> datetime | None:
        value = self._raw.get(name)
        if value is None:
            if required:
                self.problems.append(f"{name} is missing")
            return None
        moment = parse_moment(value)
        if moment is None:
            self.problem(name, value, "is not a UTC time of the form 2021-01-25T00:00:00Z")
            return None
        if moment < UNIX_EPOCH:
            self.problem(name, value, "is before 1970")
            return None
        return floor_unit(moment)

    def names(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, each once, in their order."""
        value = self._raw.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(
            isinstance(each, str) and each.strip() and _is_sendable(each) for each in value
        ):
            self.problem(name, value, "is not a list of texts with characters in them")
            return ()
        return tuple(dict.fromkeys(each.strip() for each in value))

    def time_zone(self, name: str) -> tzinfo | None:
        value = self._raw.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.problem(name, value, "is no time zone such as Europe/Berlin")
            return None
        import pendulum  # noqa: PLC0415 - it takes long to import; it has the table of zones that slim images lack

        try:
            zone: tzinfo = pendulum.timezone(value)
        except (ValueError, LookupError, OSError):
            self.problem(name, value, "is no time zone such as Europe/Berlin")
            return None
        return zone

    def gaps(self, name: str) -> HourSet:
        value = self._raw.get(name)
        if value is None:
            return HourSet()
        if not isinstance(value, list):
            self.problem(name, value, "is not a list of hours")
            return HourSet()
        windows = []
        for text in value:
            window = _parse_gap(text)
            if window is None:
                self.problem(
                    name,
                    text,
                    "is neither an hour (2024-03-01T05) nor a span of hours (2024-03-01T05/2024-03-01T09)",
                )
            else:
                windows.append(whole_units(window))
        return HourSet.of(windows)


def _is_whole_number(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_sendable(text: str) -> bool:
    """Return whether UTF-8 can hold the text; a lone surrogate it cannot."""
    return text == text.encode("utf-8", "ignore").decode("utf-8")


def _parse_gap(text: object) -> HourWindow | None:
    if not isinstance(text, str):
        return None
    first, _, last = text.partition("/")
    start = _parse_hour(first)
    try:
        end = _parse_hour(last) if last else start and start + HOUR
    except OverflowError:
        return None
    return HourWindow(start, end) if start and end and start < end else None


def _parse_hour(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip().removesuffix("Z"), "%Y-%m-%dT%H").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
