"""The axes of a chart whose width follows the page: positions are percentages, text keeps its size."""

from __future__ import annotations

from collections.abc import Sequence

from runner.report.markup import Markup, join, tag
from runner.report.scales import Scale, tick_words

UNITS = 1000  # units of a path's coordinates in both directions
X_TICKS = 5  # how many fit beside each other on a narrow page
PALETTE = 8  # colours k0 to k7 of page.css


def frame(x: Scale, y: Scale, marks: Markup, *, x_title: str, y_title: str, name: str, height: int = 300) -> Markup:
    """Return a chart: grid, axes and the marks, whose positions are `percent` of the scales.

    name: what the chart shows, for screen readers.
    """
    grid = join(
        tag("line", class_="grid", x1=percent(x.at(value)), x2=percent(x.at(value)), y1="0", y2="100%")
        for value in x.ticks(X_TICKS)
    ) + join(
        tag("line", class_="grid", x1="0", x2="100%", y1=percent(1 - y.at(value)), y2=percent(1 - y.at(value)))
        for value in y.ticks()
    )
    labels = join(
        tag("text", words, x=percent(x.at(value)), y=height + 18, text_anchor="middle")
        for value, words in zip(x.ticks(X_TICKS), tick_words(x.ticks(X_TICKS)))
    ) + join(
        tag("text", words, x="-8", y=percent(1 - y.at(value)), dy="0.32em", text_anchor="end")
        for value, words in zip(y.ticks(), tick_words(y.ticks()))
    )
    drawing = tag("svg", Markup(grid + labels), marks, height=height, role="img", aria_label=name)
    return tag("div", tag("p", y_title, class_="axis"), drawing, tag("p", x_title, class_="axis x"), class_="plot")


def percent(share: float) -> str:
    """Return a share of the width or height as a percentage for SVG."""
    return f"{100 * share:.2f}%"


def paths(lines: Sequence[Markup]) -> Markup:
    """Return paths in units of UNITS by UNITS, stretched over the chart; their strokes keep their width."""
    box = f"0 0 {UNITS} {UNITS}"
    return tag("svg", *lines, width="100%", height="100%", viewBox=box, preserveAspectRatio="none")


def trace(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    """Return the `d` of a path through points (x, y)."""
    places = [(round(UNITS * x.at(one)), round(UNITS * (1 - y.at(other)))) for one, other in points]
    return "".join(f"{'L' if i else 'M'}{left} {top}" for i, (left, top) in enumerate(places))


def colour(index: int) -> str:
    """Return the class of a colour; there are PALETTE of them."""
    return f"k{index % PALETTE}"


def keys(names: Sequence[tuple[str, str]]) -> Markup:
    """Return a legend; names: for each entry, its classes in page.css and its text. Without entries: no legend."""
    shown = [tag("span", tag("i", class_=style), words, class_="key") for style, words in names]
    return tag("div", *shown, class_="keys") if shown else Markup()
