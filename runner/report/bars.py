"""Horizontal bars with their names and values: scores of classes, costs, shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.report.frame import colour, percent
from runner.report.markup import Markup, join, tag


@dataclass(frozen=True)
class Bar:
    """One bar from 0 to `value`. shown: the value in words. low, high: its interval, where there is one."""

    name: str
    value: float
    shown: str
    low: float | None = None
    high: float | None = None
    colour: int = 0
    tip: str = ""


def bars(rows: Sequence[Bar], *, most: float | None = None) -> Markup:
    """Return bars below each other. most: the value of a full bar; None: the largest value or end of an interval."""
    ends = [value for row in rows for value in (row.value, row.high) if value is not None]
    full = most or max(ends, default=1.0) or 1.0
    return tag("div", *(_bar(row, full) for row in rows), class_="bars")


def _bar(row: Bar, full: float) -> Markup:
    shapes = [tag("rect", class_=colour(row.colour), width=percent(_share(row.value, full)), height="100%", rx="2")]
    if row.low is not None and row.high is not None:
        ends = {"x1": percent(_share(row.low, full)), "x2": percent(_share(row.high, full))}
        shapes.append(tag("line", class_="whisker", **ends, y1="50%", y2="50%"))
    drawing = tag("svg", *shapes, height="12", role="img", aria_label=row.tip or f"{row.name}: {row.shown}")
    cells = [tag("span", row.name, class_="name"), drawing, tag("span", row.shown, class_="value")]
    return tag("div", join(cells), data_tip=row.tip or None)


def _share(value: float, full: float) -> float:
    return min(max(value / full, 0.0), 1.0)
