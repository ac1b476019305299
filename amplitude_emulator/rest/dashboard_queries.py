"""Parameters of Dashboard REST: days, intervals, segments, and the cost of a query (reference 3.1, 3.3)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from amplitude_emulator.errors import RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amplitude_emulator.rest.routes import ApiRequest

ONE_DAY = timedelta(days=1)
DAILY, WEEKLY, MONTHLY = 1, 7, 30
DAY_FORM = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
CONDITIONS_OF_A_GROUP_BY = 4  # documented, reference 3.1
# Documented, reference 3.3.
BUILT_IN_PROPERTIES = (
    "version",
    "country",
    "city",
    "region",
    "DMA",
    "language",
    "platform",
    "os",
    "device",
    "device_type",
    "start_version",
    "paying",
)


@dataclass(frozen=True)
class Days:
    """The days of a query, both ends included, in the project's time zone."""

    first: date
    last: date

    @property
    def count(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    def all(self) -> list[date]:
        return [self.first + n * ONE_DAY for n in range(self.count)]

    def intervals(self, length: int) -> list[list[date]]:
        """Group the days by interval: single days, weeks from the first day, or calendar months.

        That weeks start at the first day, and that an interval is named after its first day, is inferred.
        """
        if length == MONTHLY:
            months: dict[tuple[int, int], list[date]] = {}
            for day in self.all():
                months.setdefault((day.year, day.month), []).append(day)
            return list(months.values())
        days = self.all()
        return [days[start : start + length] for start in range(0, len(days), length)]


def invalid(details: str, message: str = "Invalid parameters") -> RequestRefusedError:
    """Return a 400; ``type`` is observed (reference 0.3), the texts are inferred."""
    return RequestRefusedError(400, details, message=message, error_type="invalid")


def invalid_property(name: str) -> RequestRefusedError:
    """Return the observed 400 for a built-in property that the project never received (reference 3.3)."""
    return invalid(f"Invalid user property {name}", "Invalid chart definition")


def requested_days(request: ApiRequest) -> Days:
    """Parse ``start`` and ``end``."""
    days = Days(_day(request, "start"), _day(request, "end"))
    if days.first > days.last:
        raise invalid("Invalid time range: start is after end")
    return days


def requested_interval(request: ApiRequest) -> int:
    """Parse ``i``."""
    return int(choice(request, "i", ("1", "7", "30")))


def choice(request: ApiRequest, name: str, choices: Sequence[str]) -> str:
    """Parse a parameter with fixed choices; the first one is the default."""
    value = request.parameter(name) or choices[0]
    if value not in choices:
        raise invalid(f"Invalid value for {name}: {value}")
    return value


def requested_property(request: ApiRequest, name: str) -> str | None:
    """Parse the name of a property: built-in, or custom with ``gp:``."""
    value = request.parameter(name)
    if value is not None and not value.startswith("gp:") and value not in BUILT_IN_PROPERTIES:
        raise invalid_property(value)
    return value


def requested_segments(request: ApiRequest) -> list[list[object]]:
    """Parse ``s``: one JSON array of conditions per segment."""
    segments = []
    for text in request.http.query.getall("s", []):
        try:
            conditions = json.loads(text)
        except ValueError:
            conditions = None
        if not isinstance(conditions, list):
            raise invalid("Invalid segment definition")
        segments.append(conditions)
    if len(segments) > 1 and request.parameter("g"):
        raise invalid("A group by needs a single segment")
    return segments


def condition_count(request: ApiRequest) -> int:
    """Return the number of conditions: segments, their conditions, and 4 for a group-by (reference 3.1).

    A query without segments counts as one segment; this fits the documented "about 5 per day" for ``g=country``.
    """
    segments = requested_segments(request)
    count = max(1, len(segments)) + sum(len(segment) for segment in segments)
    return count + (CONDITIONS_OF_A_GROUP_BY if request.parameter("g") else 0)


def _day(request: ApiRequest, name: str) -> date:
    text = request.parameter(name)
    if text is None:
        raise invalid(f"Missing required parameter {name}")
    malformed = invalid(f"Invalid {name}: expected the format YYYYMMDD")
    digits = DAY_FORM.fullmatch(text)  # strptime accepts single digits
    if digits is None:
        raise malformed
    try:
        return date(*map(int, digits.groups()))
    except ValueError:
        raise malformed from None
