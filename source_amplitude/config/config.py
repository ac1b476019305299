"""The user's configuration, parsed into a frozen object; all problems are reported together."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from source_amplitude.config.fields import Fields, schema
from source_amplitude.errors import InvalidConfigError
from source_amplitude.windows import DAY_HOURS, HOUR, HourSet, HourWindow, whole_units

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

AMPLITUDE_BEGINNING = datetime(2010, 1, 1, tzinfo=timezone.utc)
"""The earliest start; Amplitude had no customers before."""

_LATEST_START = datetime(2200, 1, 1, tzinfo=timezone.utc)  # later times overflow where days are added


class Region(Enum):
    """The region where Amplitude stores a project; the value is its text in the spec."""

    STANDARD = "Standard Server"
    EU = "EU Residency Server"

    @property
    def other(self) -> Region:
        return Region.EU if self is Region.STANDARD else Region.STANDARD


class MalformedLines(Enum):
    """How a sync handles lines that are not JSON objects; all other lines are always emitted."""

    REPORT = "report"
    FAIL = "fail"
    SKIP = "skip"


class BackfillOrder(Enum):
    """Which of the hours to read come first."""

    OLDEST_FIRST = "oldest_first"
    NEWEST_FIRST = "newest_first"


@dataclass(frozen=True)
class Keys:
    """The project's API key and secret key; ``repr`` does not show them."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)


def _time_zone(name: object) -> tzinfo | None:
    if name == "":
        return None
    import pendulum  # noqa: PLC0415 - slow to import; slim images have no table of time zones

    try:
        if isinstance(name, str):
            zone: tzinfo = pendulum.timezone(name)
            return zone
    except (ValueError, LookupError, OSError):
        pass
    raise ValueError("is not a time zone such as Europe/Berlin")


def _region(name: object) -> Region:
    short = {"us": Region.STANDARD, "eu": Region.EU}
    if isinstance(name, str) and name.lower() in short:
        return short[name.lower()]
    try:
        return Region(name)
    except ValueError:
        raise ValueError("is not one of " + ", ".join(repr(each.value) for each in Region) + ", 'US', 'EU'") from None


def _list_of_hours(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("is not a list of hours")  # noqa: TRY004 - a problem with a value
    return value


def _gaps(given: Fields, name: str) -> HourSet:
    windows = []
    for text in given.value(name, _list_of_hours) or ():
        window = _parse_gap(text)
        if window is None:
            problem = "is not an hour (2024-03-01T05) or a range of hours (2024-03-01T05/2024-03-01T09)"
            given.problem(name, text, problem)
        else:
            windows.append(whole_units(window))
    return HourSet.of(windows)


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


def _value(given: Fields, name: str) -> Any:  # noqa: ANN401 - as the spec declares it
    """Return a field's value, converted to the type in `Config`."""
    if name == "accepted_gaps":
        return _gaps(given, name)
    if name == "data_region":
        return given.value(name, _region)
    if name == "project_time_zone":
        return given.value(name, _time_zone)
    value = given.value(name)
    kind = {"malformed_lines": MalformedLines, "backfill_order": BackfillOrder}.get(name)
    return value if kind is None or value is None else kind(value)


def _default(name: str) -> Any:  # noqa: ANN401 - as the spec declares it
    return _value(Fields({}, schema()["properties"]), name)


@dataclass(frozen=True)
class Config:
    """The configuration with Python types. Fields are named as in the spec, except those in `_NAMES`.

    Attributes:
        keys: The project's API key and secret key.
        region: The region where Amplitude stores the project.
        start: ``start_date`` in UTC, rounded down to the hour (before 2014-11-12 to the day). `AMPLITUDE_BEGINNING` if
            it is earlier or missing.
        end: ``end_date``, rounded down in the same way, exclusive; None without an end.
        window_hours: The hours in one export request.
        recheck_hours: Ages at which an hour is read again, in hours after its end, ascending.
        num_processes: The number of processes that encode records; None: one per processor.
    """

    keys: Keys
    region: Region
    start: datetime
    end: datetime | None = None
    window_hours: int = _default("request_time_range")
    active_users_group_by_country: bool = _default("active_users_group_by_country")
    export_delay_hours: int = _default("export_delay_hours")
    recheck_hours: tuple[int, ...] = _default("recheck_hours")
    accepted_gaps: HourSet = _default("accepted_gaps")  # noqa: RUF009 - frozen
    malformed_lines: MalformedLines = _default("malformed_lines")  # noqa: RUF009 - frozen
    backfill_order: BackfillOrder = _default("backfill_order")  # noqa: RUF009 - frozen
    num_workers: int = _default("num_workers")
    num_processes: int | None = None
    dashboard_lookback_days: int = _default("dashboard_lookback_days")
    project_time_zone: tzinfo | None = None
    cohort_ids: tuple[str, ...] = _default("cohort_ids")
    cohort_properties: tuple[str, ...] = _default("cohort_properties")
    composition_properties: tuple[str, ...] = _default("composition_properties")
    chart_ids: tuple[str, ...] = _default("chart_ids")

    @property
    def conclusive_after_hours(self) -> int:
        """Age in hours, from an hour's start, at which a 404 proves it empty.

        A day after it was due, and past every recheck: files that a recheck would find must not be lost.
        """
        return max(DAY_HOURS + self.export_delay_hours, 1 + max(self.recheck_hours, default=0))


_NAMES = {"region": "data_region", "window_hours": "request_time_range"}


def parse_config(raw: Mapping[str, Any], *, needs_start: bool = True) -> Config:
    """Parse a configuration from the JSON that a user or Airbyte passes.

    Unknown keys are ignored, as upstream does. A missing or null optional key takes its default.

    Args:
        raw: JSON values.
        needs_start: Whether ``start_date`` is required; only reading needs it.

    Raises:
        InvalidConfigError: One or more values are invalid; the error lists all of them.
    """
    required = [name for name in schema()["required"] if needs_start or name != "start_date"]
    given = Fields(raw, schema()["properties"], required)
    start, end = given.value("start_date"), given.value("end_date")
    if start and start >= _LATEST_START:
        given.problem("start_date", raw.get("start_date"), "is after 2199")
    if start and end and end <= max(start, AMPLITUDE_BEGINNING):
        given.problem("end_date", raw.get("end_date"), "is not after start_date, both rounded down to the hour")
    values: dict[str, Any] = {
        "keys": Keys(given.value("api_key"), given.value("secret_key")),
        "start": max(start or AMPLITUDE_BEGINNING, AMPLITUDE_BEGINNING),
        "end": end,
    }
    others = [each.name for each in fields(Config) if each.name not in values]
    values |= {name: _value(given, _NAMES.get(name, name)) for name in others}
    if given.problems:
        raise InvalidConfigError(tuple(given.problems))
    return Config(**values)
