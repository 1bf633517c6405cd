"""The figures of a comparison's page: score against each cost, the seeds, the learning curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runner.compare.axes import words_of
from runner.compare.baselines import baseline_levels
from runner.compare.colours import Colouring
from runner.compare.folds import is_fold
from runner.compare.pareto import AXES
from runner.compare.rows import Comparison, Row
from runner.compare.select import Run
from runner.report.curves import Curve, curves
from runner.report.frame import colour
from runner.report.markup import Markup
from runner.report.page import choices
from runner.report.points import Series, by_interest, read_points
from runner.report.scales import short
from runner.report.scatter import Point, scatter
from runner.report.strips import Strip, strips

CURVE_RUNS = 60  # runs whose learning curves are drawn, best groups first
MOST_SERIES = 12  # metrics with a chart of their curves
MOST_STRIPS = 80
AXIS_NAMES = {"b": "size", "l": "time", "m": "MACs"}  # on the buttons


@dataclass(frozen=True)
class Part:
    """The rows of one dataset and metric; `numbers` are their places in the whole comparison, from 1."""

    label: str  # "" if the comparison has one part only
    metric: str
    rows: list[Row]
    numbers: list[int]


def parts_of(comparison: Comparison) -> list[Part]:
    """Return the parts of a comparison: scores of other examples or of another kind share no chart."""
    found: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(comparison.rows, 1):
        found.setdefault((row.metric, row.examples), []).append(number)
    labels = _labels(comparison.rows, list(found))
    rows = {key: [comparison.rows[number - 1] for number in numbers] for key, numbers in found.items()}
    return [Part(label, key[0], rows[key], found[key]) for label, key in zip(labels, found)]


def _labels(rows: list[Row], keys: list[tuple[str, str]]) -> list[str]:
    """Return a label for each pair of dataset and metric; with the data's fingerprint where names are the same."""
    if len(keys) == 1:
        return [""]
    names = {row.examples: row.group.settings["data.name"] for row in rows}
    plain = [f"{names[examples]} {metric}" for metric, examples in keys]
    return [f"{name} ({key[1][:6]})" if plain.count(name) > 1 else name for name, key in zip(plain, keys)]


def pareto_figures(comparison: Comparison, parts: Sequence[Part], colouring: Colouring) -> Markup | None:
    """Return the score against each cost; None if nothing was measured."""
    figures = []
    for part in parts:
        for letter, (cost, _) in AXES.items():
            points = points_of(comparison, part, letter, colouring)
            if not points:
                continue
            words = words_of(comparison.metric_of(cost))
            legend = legend_of(colouring, [point.number for point in points], "dot")
            drawn = scatter(
                points, x_title=words, y_title=part.metric, levels=baseline_levels(part.rows), legend=legend
            )
            figures.append((f"{part.label}: {AXIS_NAMES[letter]}" if part.label else AXIS_NAMES[letter], drawn))
    return choices(figures) if figures else None


def legend_of(colouring: Colouring, numbers: Sequence[int], style: str = "") -> list[tuple[str, str]]:
    """Return the legend of the colours in use; "" for groups with a colour each, which the list beside shows."""
    if colouring.setting is None:
        return []
    used = sorted({colouring.of[number - 1] for number in numbers})
    return [(f"{style} {colour(one)}".strip(), f"{colouring.title}={colouring.names[one]}") for one in used]


def points_of(comparison: Comparison, part: Part, letter: str, colouring: Colouring) -> list[Point]:
    """Return the points of a part's groups that have a score and this cost; letter: of AXES."""
    return [
        _point(comparison, row, number, letter, colouring)
        for row, number in zip(part.rows, part.numbers)
        if is_scored(row) and math.inf > row.costs.get(AXES[letter][0], 0) > 0
    ]


def is_scored(row: Row) -> bool:
    """Return whether a row has a score that can be drawn."""
    return _is_number(row.mean)


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _point(comparison: Comparison, row: Row, number: int, letter: str, colouring: Colouring) -> Point:
    cost = AXES[letter][0]
    value, interval = row.costs[cost], row.interval
    return Point(
        number, row.label, value, float(row.mean or 0.0), interval.low if interval else None,
        interval.high if interval else None, colouring.of[number - 1], letter in row.fronts, bool(row.at_baseline),
        f"{row.mean:.4f} · {short(value)}", tip_of(comparison, row),
    )  # fmt: skip


def tip_of(comparison: Comparison, row: Row) -> str:
    """Return the tooltip of a group: its score with both intervals, its costs, its verdict."""
    interval, lines = row.interval, [row.label]
    if row.mean is not None:
        ends = f" ({interval.low:.4f}-{interval.high:.4f})" if interval else ""
        lines.append(f"{row.metric} {row.mean:.4f}{ends}")
    intervals = {"seeds": row.intervals.seeds, "examples": row.intervals.examples}
    if all(intervals.values()):
        lines += [f"± {found.half:.4f} over {kind}" for kind, found in intervals.items() if found]
    lines += [f"parameters {row.costs['cost/params']:,.0f}"] if "cost/params" in row.costs else []
    for cost, _ in AXES.values():
        if cost in row.costs:
            value = row.costs[cost]
            shown = f"{value:,.0f}" if value >= 10 else f"{value:.3f}"
            lines.append(f"{words_of(comparison.metric_of(cost))}: {shown}")
    return "\n".join([*lines, row.verdict] if row.verdict else lines)


def seed_figures(parts: Sequence[Part], colouring: Colouring) -> Markup | None:
    """Return one strip a group with a dot for each run; None if no run has a score."""
    figures = []
    for part in parts:
        shown = [_strip(row, number, colouring) for row, number in zip(part.rows, part.numbers)]
        shown = [strip for strip in shown if strip.values][:MOST_STRIPS]
        if shown:
            drawn = strips(shown, title=part.metric, levels=baseline_levels(part.rows))
            figures.append((part.label or part.metric, drawn))
    return choices(figures) if figures else None


def _strip(row: Row, number: int, colouring: Colouring) -> Strip:
    values = [
        (float(value or 0.0), f"{row.label}\n{_place(run)}: {value:.4f}\nrun {run.identity}")
        for run in row.group.members
        if _is_number(value := run.metrics.get(row.metric))
    ]
    low, high = (row.interval.low, row.interval.high) if row.interval else (None, None)
    mean = row.mean if is_scored(row) else None
    return Strip(f"{number} {row.label}", values, mean, low, high, colouring.of[number - 1])


def _place(run: Run) -> str:
    """Return the seed of a run, and its fold where it has one."""
    return f"fold {run.record.setting('data.fold')}, seed {run.seed}" if is_fold(run) else f"seed {run.seed}"


def curve_figures(comparison: Comparison, colouring: Colouring) -> tuple[Markup, str] | None:
    """Return the learning curves of the first runs, one chart a metric, with a sentence on what was left out."""
    found: list[tuple[int, str, Series]] = []
    for number, row in enumerate(comparison.rows, 1):
        for run in row.group.members:
            if len(found) < CURVE_RUNS and (series := read_points(run.folder)):
                found.append((number, f"{_place(run)}, run {run.identity}", series))
    names = sorted({name for *_, series in found for name in series}, key=by_interest)
    figures = []
    for name in names[:MOST_SERIES]:
        there = [(number, words, series[name]) for number, words, series in found if name in series]
        lines = [_curve(comparison.rows[number - 1], words, points, colouring.of[number - 1])
                 for number, words, points in there]  # fmt: skip
        numbers = [number for number, *_ in there]
        legend = legend_of(colouring, numbers) if colouring.setting else None
        figures.append((name, curves(lines, x_title="step", y_title=name, legend=legend)))
    if not figures:
        return None
    runs = sum(len(row.group.runs) for row in comparison.rows)
    left_out = [f"Only the first {CURVE_RUNS} of {runs} runs are drawn."] if runs > CURVE_RUNS else []
    left_out += (
        [f"Further metrics are in metrics.jsonl: {', '.join(names[MOST_SERIES:])}."] if names[MOST_SERIES:] else []
    )
    return choices(figures), " ".join(["Long curves show means of neighbouring points.", *left_out])


def _curve(row: Row, words: str, points: list[tuple[float, float]], hue: int) -> Curve:
    return Curve(row.label, points, hue, tip=f"{row.label}\n{words}\nends at {short(points[-1][1])}")
