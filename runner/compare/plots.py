"""Draws a comparison as PNG files: score against each cost, and the seeds. All numbers are in groups.csv."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from runner.compare.axes import words_of
from runner.compare.pareto import AXES
from runner.compare.rows import Comparison, Row

MOST_LABELS = 14  # more names would cover the points
MOST_STRIPS = 40
LOG_FROM = 8  # costs that span more than this factor get a logarithmic axis


def draw_figures(comparison: Comparison, folder: Path) -> list[Path]:
    """Write pareto_bytes.png, pareto_latency.png, pareto_macs.png and seeds.png, one set for each dataset."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[tuple[str, str], list[Row]] = {}
    for row in comparison.rows:
        if row.mean is not None:
            tables.setdefault((row.metric, row.examples), []).append(row)
    written = []
    with plt.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 150}):
        for number, rows in enumerate(tables.values()):
            suffix = f"_{number + 1}" if len(tables) > 1 else ""
            for letter, (cost, name) in AXES.items():
                there = [row for row in rows if row.costs.get(cost, 0) > 0]
                if there:
                    figure = _pareto(plt, there, letter, words_of(comparison.metric_of(cost)))
                    written.append(_save(plt, figure, folder / f"pareto_{name}{suffix}.png"))
            written.append(_save(plt, _seeds(plt, rows[:MOST_STRIPS]), folder / f"seeds{suffix}.png"))
    return written


def _save(plt: Any, figure: Any, path: Path) -> Path:
    part = path.with_suffix(".part")
    figure.savefig(part, format="png", bbox_inches="tight")
    plt.close(figure)
    part.replace(path)
    return path


def _pareto(plt: Any, rows: list[Row], letter: str, words: str) -> Any:
    """Plot the score against one cost with intervals; a dashed line joins the Pareto front."""
    from matplotlib.ticker import EngFormatter

    cost = AXES[letter][0]
    figure, axes = plt.subplots(figsize=(7, 4))
    values = [row.costs[cost] for row in rows]
    for index, row in enumerate(rows):
        colour, x, y = f"C{index % 10}" if len(rows) <= MOST_LABELS else "C0", row.costs[cost], row.mean
        on = letter in row.fronts
        if row.interval and len(rows) <= MOST_STRIPS:
            axes.plot([x, x], [row.interval.low, row.interval.high], color=colour, alpha=0.5, linewidth=1.2)
        axes.plot(x, y, "x" if row.at_baseline else "o", color=colour, markersize=7, alpha=1 if on else 0.45)
        if len(rows) <= MOST_LABELS:
            _name(axes, row.label, x, float(y or 0.0), to_the_left=x > math.sqrt(min(values) * max(values)))
    front = sorted((row.costs[cost], row.mean) for row in rows if letter in row.fronts)
    axes.plot([x for x, _ in front], [y for _, y in front], "--", color="0.5", linewidth=1, zorder=0)
    if max(values) > LOG_FROM * min(values):
        axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}" if letter == "l" else EngFormatter())
    axes.set_xlabel(words)
    axes.set_ylabel(rows[0].metric)
    axes.margins(x=0.15)
    axes.grid(alpha=0.25)
    return figure


def _name(axes: Any, name: str, x: float, y: float, to_the_left: bool) -> None:
    """Write a name beside its point, readable over lines."""
    from matplotlib.patheffects import withStroke

    place = {"xytext": (-8, -3), "ha": "right"} if to_the_left else {"xytext": (8, -3), "ha": "left"}
    halo = [withStroke(linewidth=3, foreground="white")]
    axes.annotate(name, (x, y), textcoords="offset points", fontsize=8, path_effects=halo, **place)


def _seeds(plt: Any, rows: list[Row]) -> Any:
    """Plot one strip for each group: its runs, their mean, the interval."""
    figure, axes = plt.subplots(figsize=(7, 1 + 0.35 * len(rows)))
    axes.use_sticky_edges = False  # a bar that begins at the edge looks cut off
    for index, row in enumerate(reversed(rows)):
        values = row.group.values(row.metric)
        if row.interval:
            low, high = row.interval.low, row.interval.high
            axes.barh(index, high - low, left=low, height=0.5, alpha=0.2, color="C0")
        axes.plot(values, [index] * len(values), "o", color="C0", markersize=5)
        axes.plot([row.mean, row.mean], [index - 0.35, index + 0.35], color="C0", linewidth=2)
    axes.set_yticks(range(len(rows)), [f"{row.label}, n={row.n}" for row in reversed(rows)])
    axes.set_xlabel(rows[0].metric)
    axes.grid(axis="x", alpha=0.25)
    return figure
