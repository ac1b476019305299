"""``python -m benchmarks.growth_chart FILE``: draw the figures of `growth` (JSON lines on stdin) as an SVG.

It runs in its own environment; equal figures give an equal file.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Markers and dashes differ too, for readers with colour blindness. The colours are Okabe and Ito's.
_STYLES: tuple[tuple[str, str, Any], ...] = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#CC79A7", "^", "-."),
    ("#009E73", "D", ":"),
    ("#555555", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#E69F00", "P", "-"),
)
_INCHES = (10.0, 4.6)
_TEXT, _GRID = "#222222", "#DDDDDD"
_MILLION = 1_000_000


@dataclass(frozen=True)
class Line:
    """One contender's figures, by ascending size."""

    title: str
    events: Sequence[int]
    seconds: Sequence[float]
    peak_megabytes: Sequence[float]


def draw(lines: Sequence[Line], path: Path) -> None:
    """Write the chart: seconds on the left, memory on the right, both by number of events."""
    # Imported here, because only the chart's environment has it.
    mpl: Any = import_module("matplotlib")
    figures: Any = import_module("matplotlib.figure")
    # Fixed names of clip paths, and text as text, so that a new run changes only the measured lines.
    settings = {"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}
    with mpl.rc_context(settings):
        figure = figures.Figure(figsize=_INCHES, layout="constrained")
        seconds, memory = figure.subplots(1, 2)
        _label(seconds, "Seconds", "log")
        _label(memory, "Peak memory, MB", "linear")
        for line, (colour, marker, dashes) in zip(lines, _STYLES * len(lines), strict=False):
            style = {"color": colour, "marker": marker, "linestyle": dashes, "linewidth": 1.8, "markersize": 6}
            seconds.plot(line.events, line.seconds, label=line.title, **style)
            memory.plot(line.events, line.peak_megabytes, **style)
        memory.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None}, facecolor="white")


def _label(axes: Any, title: str, scale: str) -> None:  # noqa: ANN401 - types are checked without matplotlib
    axes.set_title(title, loc="left", color=_TEXT)
    axes.set_xlabel("events")
    axes.set_xscale("log")
    axes.set_yscale(scale)
    axes.xaxis.set_major_formatter(lambda value, _: _short(value))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(visible=True, which="major", color=_GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)


def _short(events: float) -> str:
    return f"{events / _MILLION:g} million" if events >= _MILLION else f"{events:,.0f}"


if __name__ == "__main__":
    draw([Line(**line) for line in json.load(sys.stdin)], Path(sys.argv[1]))
