"""Draws a comparison as PNG, PDF and SVG files: score against each cost, and the seeds. All numbers are in groups.csv.

Points, colours, scales and places of labels are those of the page.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.part_file import written_whole
from runner.compare.axes import words_of
from runner.compare.baselines import baseline_levels
from runner.compare.colours import Colouring, colour_groups
from runner.compare.figures import Part, is_scored, parts_of, points_of
from runner.compare.pareto import AXES
from runner.compare.rows import Comparison, Row
from runner.report.labels import Box, Label, place_labels
from runner.report.scatter import MOST_INTERVALS, MOST_NUMBERS, NAME_REACH, Point, level_words, scales
from runner.sanitize import visible

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

MOST_STRIPS = 60
MOST_LISTED = 80
PALETTE = ("#0b63ce", "#c8500a", "#177245", "#a0307f", "#8a6a00", "#5b4bc4", "#00798c", "#7a4b2a")  # as page.css
LEVELS = (("#b3261e", ":"), ("#177245", "--"))
FORMATS = ("png", "pdf", "svg")
STYLE = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 150, "pdf.fonttype": 42,
    "svg.fonttype": "none", "svg.hashsalt": "bertier", "text.parse_math": False,
}  # fmt: skip
DOT, FONT = 3.0, 8.0  # radius and size of labels, in points


def draw_figures(comparison: Comparison, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write pareto_bytes, pareto_latency, pareto_macs and seeds in each format, one set for each dataset."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    colouring, written = colour_groups(comparison.groups), list[Path]()
    parts = [part for part in parts_of(comparison) if any(map(is_scored, part.rows))]
    with plt.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the font lacks a letter: the HTML page shows it
        for number, part in enumerate(parts):
            suffix = f"_{number + 1}" if len(parts) > 1 else ""
            for letter, (cost, name) in AXES.items():
                if points := points_of(comparison, part, letter, colouring):
                    words = words_of(comparison.metric_of(cost))
                    figure = _pareto(plt, points, part, words, is_time=letter == "l")
                    written += _save(plt, figure, folder / f"pareto_{name}{suffix}", formats)
            written += _save(plt, _seeds(plt, part, colouring), folder / f"seeds{suffix}", formats)
    return written


def _save(plt: ModuleType, figure: Figure, path: Path, formats: Sequence[str]) -> list[Path]:
    """Write a figure in each format, without a date, so that equal results give equal files."""
    box = figure.get_tightbbox(_renderer(figure)).padded(0.1)  # once here: "tight" would draw each file twice
    written = []
    for form in formats:
        whole = path.with_suffix(f".{form}")
        dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(form)
        with written_whole(whole) as part:
            figure.savefig(part, format=form, bbox_inches=box, metadata=dates)
        written.append(whole)
    plt.close(figure)
    return written


def _renderer(figure: Figure) -> RendererAgg:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    assert isinstance(figure.canvas, FigureCanvasAgg), "draw_figures chooses this backend"
    return figure.canvas.get_renderer()


def _pareto(plt: ModuleType, points: Sequence[Point], part: Part, words: str, *, is_time: bool) -> Figure:
    """Plot the score against one cost with intervals; a dashed line joins the Pareto front, the list stands beside."""
    from matplotlib.ticker import EngFormatter

    figure, axes = plt.subplots(figsize=(6, max(4.0, 0.16 * min(len(points), MOST_LISTED) + 0.3)))
    levels = baseline_levels(part.rows)
    x, y = scales(points, levels)
    if x.is_log:
        axes.set_xscale("log")
    axes.set_xlim(*((10**end for end in (x.low, x.high)) if x.is_log else (x.low, x.high)))
    axes.set_ylim(y.low, y.high)
    _points(axes, points)
    front = sorted((point.x, point.y) for point in points if point.is_on_front)
    axes.plot([x for x, _ in front], [y for _, y in front], "--", color="0.5", linewidth=1, zorder=0)
    for i, (name, value) in enumerate(levels):
        shade, line = LEVELS[i % 2]
        axes.axhline(value, color=shade, linestyle=line, linewidth=1, zorder=0, label=level_words(name, value, y))
    axes.xaxis.set_major_formatter("{x:g}" if is_time else EngFormatter())
    axes.set_xlabel(words)
    axes.set_ylabel(part.metric)
    axes.grid(alpha=0.25)
    if levels:
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.5 / figure.get_figheight()),
            ncols=2,
            frameon=False,
            fontsize=FONT,
        )
    _list(axes, points)
    _names(figure, axes, points)
    return figure


def _points(axes: Axes, points: Sequence[Point]) -> None:
    """Draw the points, those off the front paler, and their intervals unless these would hide them."""
    if len(points) <= MOST_INTERVALS:
        ends = [(point.x, point.low, point.high, _shade(point.colour)) for point in points if point.low is not None]
        if ends:
            x, low, high, shades = zip(*ends)
            axes.vlines(x, low, high, colors=shades, alpha=0.5, linewidth=1.2)
    for style, is_faint in (("o", False), ("x", True)):
        if not (shown := [point for point in points if point.is_faint == is_faint]):
            continue
        axes.scatter(
            [point.x for point in shown], [point.y for point in shown], s=(2 * DOT) ** 2, marker=style,
            c=[(_shade(point.colour), 1 if point.is_on_front else 0.55) for point in shown],
        )  # fmt: skip


def _shade(colour: int) -> str:
    return PALETTE[colour % len(PALETTE)]


def _list(axes: Axes, points: Sequence[Point]) -> None:
    """Write the numbers and names of the points beside the axes."""
    shown = points[:MOST_LISTED]
    step = min(0.055, 1.0 / max(len(shown), 1))
    for i, point in enumerate(shown):
        words = f"{point.number}  {visible(point.name)}"
        weight = "bold" if point.is_on_front else "normal"
        axes.text(1.055, 1 - i * step, words, transform=axes.transAxes, va="top", fontsize=FONT - 1, fontweight=weight)
    heights = [1 - i * step - step * 0.3 for i in range(len(shown))]
    shades = [_shade(point.colour) for point in shown]
    axes.scatter([1.035] * len(shown), heights, s=14, c=shades, transform=axes.transAxes, clip_on=False)


def _names(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """Write names beside the points of the front where there is room, and a number beside every other point."""
    renderer, unit = _renderer(figure), figure.dpi / 72
    height, radius = figure.bbox.height, (DOT + 1) * unit
    area = axes.get_window_extent(renderer)
    bounds = Box(area.x0, height - area.y1, area.x1, height - area.y0)
    found = [axes.transData.transform((point.x, point.y)) for point in points]
    places = [(float(x), float(height - y)) for x, y in found]
    dots = [Box(x - radius, y - radius, x + radius, y + radius) for x, y in places]

    def labels(numbers: Sequence[int], words: Sequence[str], reach: float) -> list[Label]:
        sizes = [renderer.get_text_width_height_descent(word, _font(), False) for word in words]
        return [Label(*places[i], width, tall * 1.2, radius, reach) for i, (width, tall, _) in zip(numbers, sizes)]

    front = [i for i, point in enumerate(points[:MOST_NUMBERS]) if point.is_on_front]
    names = [f"{points[i].number} {visible(points[i].name)}" for i in front]
    boxes = place_labels(labels(front, names, NAME_REACH * unit), bounds, dots)
    written = {i: (name, box) for i, name, box in zip(front, names, boxes) if box}
    rest = [i for i in range(min(len(points), MOST_NUMBERS)) if i not in written]
    numbers = [str(points[i].number) for i in rest]
    taken = [box for _, box in written.values()]
    others = place_labels(labels(rest, numbers, bounds.right), bounds, dots, taken)
    written |= {i: (number, box) for i, number, box in zip(rest, numbers, others) if box}
    for i, (words, box) in written.items():
        _write(axes, points[i], words, box, places[i], unit)


def _font() -> FontProperties:
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=FONT)


def _write(axes: Axes, point: Point, words: str, box: Box, place: tuple[float, float], unit: float) -> None:
    """Write a label at its place, readable over lines, with a line to its point where it stands apart."""
    across = ((box.left + box.right) / 2 - place[0]) / unit
    up = (place[1] - (box.top + box.bottom) / 2) / unit
    apart = max(place[0] - box.right, box.left - place[0], place[1] - box.bottom, box.top - place[1]) / unit
    line = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3}
    axes.annotate(
        words, (point.x, point.y), xytext=(across, up), textcoords="offset points", ha="center", va="center",
        fontsize=FONT, color="black" if point.is_on_front else "0.35", arrowprops=line if apart > DOT + 8 else None,
        bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.3},
    )  # fmt: skip


def _seeds(plt: ModuleType, part: Part, colouring: Colouring) -> Figure:
    """Plot one strip for each group: its runs, their mean, the interval."""
    shown = [(row, number) for row, number in zip(part.rows, part.numbers) if is_scored(row)][:MOST_STRIPS]
    figure, axes = plt.subplots(figsize=(7, 1 + 0.28 * len(shown)))
    axes.use_sticky_edges = False  # a bar that begins at the edge looks cut off
    _strips(axes, [row for row, _ in reversed(shown)], [_shade(colouring.of[n - 1]) for _, n in reversed(shown)])
    names = [f"{number}  {visible(row.label)}, n={row.n}" for row, number in reversed(shown)]
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(-0.7, len(shown) - 0.3)
    low, high = axes.get_xlim()
    for i, (name, value) in enumerate(baseline_levels(part.rows)):
        if low - (high - low) <= value <= high + (high - low):
            shade, line = LEVELS[i % 2]
            axes.axvline(value, color=shade, linestyle=line, linewidth=1, zorder=0, label=f"{name} {value:.4g}")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.6 / (1 + 0.28 * len(shown))), ncols=2, frameon=False)
    axes.set_xlabel(part.metric)
    axes.grid(axis="x", alpha=0.25)
    return figure


def _strips(axes: Axes, rows: Sequence[Row], shades: Sequence[str]) -> None:
    """Draw the strips of rows from below: an artist for all bands, one for all dots, one for all means."""
    spans = [(i, row.interval, shade) for i, (row, shade) in enumerate(zip(rows, shades)) if row.interval]
    if spans:
        places, intervals, hues = zip(*spans)
        lows = [found.low for found in intervals]
        axes.barh(places, [found.high - found.low for found in intervals], left=lows, height=0.5, alpha=0.2, color=hues)
    dots = [(value, i, shades[i]) for i, row in enumerate(rows) for value in row.group.values(row.metric)]
    values, places, hues = zip(*dots)
    axes.scatter(values, places, s=20, c=hues, zorder=2)
    at = range(len(rows))
    means = [row.mean for row in rows if row.mean is not None]  # all rows here have one
    axes.vlines(means, [i - 0.35 for i in at], [i + 0.35 for i in at], colors=shades, linewidth=2)
