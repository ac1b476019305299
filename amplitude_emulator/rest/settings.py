"""What a test may vary about a project's REST APIs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

# The parts of Amplitude that a plan may lack.
Part = Literal["dashboards", "cohorts", "annotations", "taxonomy", "lookup_tables", "deletions"]
# How a missing part is refused: the envelope with 403, or Taxonomy's own body with 404 or 400 (reference 0.3).
PlanRefusal = Literal["forbidden", "not_found", "invalid"]
# How a cohort's file is packed; not established (reference 9). "gzip" says so nowhere, as S3 objects do.
FilePacking = Literal["plain", "gzip", "content_encoding"]
# What the file of a cohort without members holds; not established.
EmptyFile = Literal["header", "nothing"]
AnnotationVersion = Literal[2, 3]
# Observed in live lists, and documented (reference 4.1).
CategoryKey = Literal["category", "name"]
PropertyPrefix = Literal["", "gp:"]

DEFAULT_FIRST_DAY = date(2020, 1, 1)
MONTHLY_COHORT_DOWNLOADS = 500  # documented, reference 2


@dataclass(frozen=True)
class ProjectSettings:
    """The settings of one project; assign a changed copy to ``emulator.content.settings``.

    Attributes:
        time_zone: IANA name; decides which day is today in Dashboard REST.
        first_day: The project's first day with activity; dashboards are empty before it.
        late_activity: Numbers added to each value of a day (``YYYY-MM-DD``), as late events do.
        missing_in_plan: Parts whose routes are refused.
        plan_refusal: With which answer.
        has_limits: Whether rates, budgets and quotas are enforced.
        answer_seconds: How long an answer takes, so that requests can overlap.
        cohort_pending_polls: How many polls find a download still in progress.
        cohort_inline_bytes: Larger files are answered by a redirect to the storage; -1 for all.
        cohort_packing: Whether cohort files are gzip.
        cohort_empty_file: What the file of a cohort without members holds.
        cohort_property_prefix: Put before the names of property columns.
        cohort_downloads_a_month: The quota.
        annotation_versions: Versions of the API that exist; the other one answers 404.
        annotation_category_key: How v3 calls a category's name.
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
                raise ValueError(f"{name}: {unknown} is not among {list(choices)}.")


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
    """Return settings with changes as they come from JSON: lists for tuples, texts for dates.

    Raises:
        ValueError: There is no such setting, or no such choice.
    """
    names = {known.name for known in fields(settings)}
    unknown = sorted(changes.keys() - names)
    if unknown:
        raise ValueError(f"There is no setting {', '.join(unknown)}; there are {sorted(names)}.")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    if "first_day" in values:
        values["first_day"] = date.fromisoformat(str(values["first_day"]))
    return replace(settings, **values)  # type: ignore[arg-type]  # names checked above; types are the caller's
