"""The bins of the session length distribution (reference 3.5)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from amplitude_emulator.rest.dashboard_queries import choice, invalid

if TYPE_CHECKING:
    from amplitude_emulator.rest.routes import ApiRequest

# Documented: the limits of the default bins.
DEFAULT_LIMITS_MS = (
    0,
    3_000,
    10_000,
    30_000,
    60_000,
    180_000,
    600_000,
    1_800_000,
    3_600_000,
    86_400_000,
)
UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600}
LONGEST_SECONDS = 86_400  # one day is the longest session
# "No guarantee for the number of bins" without a size; ten is this emulator's choice.
BINS_WITHOUT_SIZE = 10
MOST_BINS = 1_000
_PREFIX = "timeHistogramConfigBin"


def requested_bins(request: ApiRequest) -> list[str]:
    """Return the labels of the bins, such as ``0s-60s``; that they are always in seconds is inferred."""
    unit, low, high = (request.parameter(_PREFIX + name) for name in ("TimeUnit", "Min", "Max"))
    if unit is None or low is None or high is None:
        return _labels([limit / 1_000 for limit in DEFAULT_LIMITS_MS])
    scale = UNIT_SECONDS[choice(request, f"{_PREFIX}TimeUnit", tuple(UNIT_SECONDS))]
    first, last = (_number(text) * scale for text in (low, high))
    size_text = request.parameter(f"{_PREFIX}Size")
    size = (last - first) / BINS_WITHOUT_SIZE if size_text is None else _number(size_text) * scale
    if not 0 <= first < last <= LONGEST_SECONDS or size <= 0 or (last - first) / size > MOST_BINS:
        raise invalid("Invalid session length bins")
    limits = [first]
    while limits[-1] < last:
        limits.append(min(last, limits[-1] + size))
    return _labels(limits)


def _labels(limits: list[float]) -> list[str]:
    return [f"{low:g}s-{high:g}s" for low, high in pairwise(limits)]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(f"Invalid session length bins: {text}") from None
