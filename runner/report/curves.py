"""Curves over steps: training losses and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.report.frame import colour, frame, keys, paths, percent, trace
from runner.report.markup import Markup, join, tag
from runner.report.scales import Scale


@dataclass(frozen=True)
class Curve:
    """One curve through points (x, y) in the order of x. tip: its tooltip."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    is_dashed: bool = False
    tip: str = ""


def curves(
    lines: Sequence[Curve],
    *,
    x_title: str,
    y_title: str,
    levels: Sequence[tuple[str, float]] = (),
    legend: Sequence[tuple[str, str]] | None = None,
    height: int = 300,
) -> Markup:
    """Return a chart of curves.

    levels: horizontal lines (name, y), drawn if they are within the range of the curves. legend: the argument of
    `keys`; None: one entry per curve.
    """
    shown = [line for line in lines if line.points]
    x = Scale.over((point[0] for line in shown for point in line.points), pad=0.02)
    y = Scale.over(point[1] for line in shown for point in line.points)
    drawn = paths(
        [
            tag("path", class_=f"curve {colour(line.colour)}{' dashed' if line.is_dashed else ''}",
                d=trace(line.points, x, y), data_tip=line.tip or line.name)
            for line in shown
        ]
    )  # fmt: skip
    within = [(name, value) for name, value in levels if y.has(value)]
    flat = join(
        tag("line", class_=f"level level{i % 2}", x1="0", x2="100%", y1=percent(1 - y.at(v)), y2=percent(1 - y.at(v)))
        for i, (_, v) in enumerate(within)
    )
    if legend is None:
        names = {line.name: f"{colour(line.colour)}{' dashed' if line.is_dashed else ''}" for line in shown}
        legend = [(style, name) for name, style in names.items()] if len(names) > 1 else []
    below = keys([*legend, *((f"level{i % 2}", f"{name} {v:.4g}") for i, (name, v) in enumerate(within))])
    name = f"{y_title} over {x_title}"
    chart = frame(x, y, Markup(flat + drawn), x_title=x_title, y_title=y_title, name=name, height=height)
    return join([chart, below])
