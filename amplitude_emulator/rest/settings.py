"""The settings of a project's REST APIs, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

# The parts of Amplitude that a plan may not include.
Part = Literal["dashboards", "cohorts", "annotations", "taxonomy", "lookup_tables", "deletions"]
# The response for a missing part: the envelope with 403, or Taxonomy's own body with 404 or 400 (reference 0.3).
PlanRefusal = Literal["forbidden", "not_found", "invalid"]
# The compression of a cohort's file; not known (reference 9). "gzip" sets no header, like S3 objects.
FilePacking = Literal["plain", "gzip", "content_encoding"]
# The content of the file of a cohort without members; not known.
EmptyFile = Literal["header", "nothing"]
AnnotationVersion = Literal[2, 3]
# Observed in live lists; documented (reference 4.1).
CategoryKey = Literal["category", "name"]
PropertyPrefix = Literal["", "gp:"]

DEFAULT_FIRST_DAY = date(2020, 1, 1)
MONTHLY_COHORT_DOWNLOADS = 500  # documented, reference 2


@dataclass(frozen=True)
class ProjectSettings:
    """The settings of one project; assign a changed copy to ``emulator.content.settings``.

    Attributes:
        time_zone: The IANA time zone that determines today in Dashboard REST.
        first_day: The project's first day with activity; dashboards are empty before it.
        late_activity: The amount added to each value of a day (``YYYY-MM-DD``), as by late-arriving events.
        missing_in_plan: The parts whose routes are refused.
        plan_refusal: The response for a part that is missing in the plan.
        has_limits: Whether rate limits, budgets and quotas are enforced.
        answer_seconds: The duration of each response, so that requests can overlap.
        cohort_pending_polls: How many polls report a download as in progress.
        cohort_inline_bytes: The size above which a file is served by a redirect to the storage; -1: always.
        cohort_packing: The compression of cohort files.
        cohort_empty_file: The content of the file of a cohort without members.
        cohort_property_prefix: The prefix of the names of property columns.
        cohort_downloads_a_month: The monthly quota of cohort downloads.
        annotation_versions: The available versions of the annotations API; a missing one returns 404.
        annotation_category_key: The key of a category's name in v3.
    """

    time_zone: str = "UTC"
    first_day: date = DEFAULT_FIRST_DAY
    late_activity: Mapping[str, int] = field(default_factory=dict)
    missing_in_plan: tuple[Part, ...] = ()
    plan_refusal: PlanRefusal = "forbidden"
    has_limits: bool = True
    answer_seconds: float = 0.0
    cohort_pending_polls: int = 1
    cohort_inline_bytes: int = 1_000_000
    cohort_packing: FilePacking = "plain"
    cohort_empty_file: EmptyFile = "header"
    cohort_property_prefix: PropertyPrefix = ""
    cohort_downloads_a_month: int = MONTHLY_COHORT_DOWNLOADS
    annotation_versions: tuple[AnnotationVersion, ...] = (2, 3)
    annotation_category_key: CategoryKey = "category"

    def __post_init__(self) -> None:
        ZoneInfo(self.time_zone)  # refuses unknown names
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            chosen = value if isinstance(value, tuple) else (value,)
            unknown = [item for item in chosen if item not in choices]
            if unknown:
                given, known = (", ".join(map(repr, values)) for values in (unknown, choices))
                raise ValueError(f"{name}: {given} is not one of {known}.")


_CHOICES: Mapping[str, tuple[object, ...]] = {
    "missing_in_plan": get_args(Part),
    "plan_refusal": get_args(PlanRefusal),
    "cohort_packing": get_args(FilePacking),
    "cohort_empty_file": get_args(EmptyFile),
    "cohort_property_prefix": get_args(PropertyPrefix),
    "annotation_versions": get_args(AnnotationVersion),
    "annotation_category_key": get_args(CategoryKey),
}


def settings_with(settings: ProjectSettings, changes: Mapping[str, object]) -> ProjectSettings:
    """Return settings with changes from JSON: lists become tuples, texts become dates.

    Raises:
        ValueError: A setting or a value is unknown.
    """
    names = {known.name for known in fields(settings)}
    unknown = sorted(changes.keys() - names)
    if unknown:
        raise ValueError(f"Unknown setting {', '.join(unknown)}. Known settings: {', '.join(sorted(names))}.")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    if "first_day" in values:
        values["first_day"] = date.fromisoformat(str(values["first_day"]))
    return replace(settings, **values)  # type: ignore[arg-type]  # names checked above; types are the caller's
