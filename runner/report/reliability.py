"""Reliability diagrams: how often answers of a confidence are right, before and after calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.report.frame import UNITS, colour, frame, keys, paths, percent, trace
from runner.report.markup import Markup, join, tag
from runner.report.scales import Scale


@dataclass(frozen=True)
class Bin:
    """Answers of similar confidence: their mean confidence, the share that is right, how many they are.

    low, high: where the share of a perfectly calibrated model would lie in 95 % of draws, where that is known.
    """

    confidence: float
    right: float
    count: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Answers:
    """The bins of one way of making probabilities, by rising confidence. note: e.g. its calibration error."""

    name: str
    bins: Sequence[Bin]
    note: str = ""


def reliability(shown: Sequence[Answers]) -> Markup:
    """Return a reliability diagram; the last of `shown`, with its band, is in front, the others are dashed."""
    lowest = min((min(one.confidence, one.right) for kind in shown for one in kind.bins), default=0.0)
    scale = Scale(max(0.0, lowest - 0.05), 1.02)
    marks = [_band(shown[-1].bins, scale)] if shown else []
    start, end = percent(0.0), percent(1.0)
    marks.append(tag("line", class_="front", x1=start, y1=end, x2=end, y2=start))
    for index, kind in enumerate(shown):
        is_last = index == len(shown) - 1
        marks.append(_line(kind, scale, 0 if is_last else 1, is_last))
    legend = [
        (f"{colour(0)}" if i == len(shown) - 1 else f"{colour(1)} dashed", f"{kind.name} {kind.note}".strip())
        for i, kind in enumerate(shown)
    ]
    legend.append(("front", "perfectly calibrated"))
    if shown and any(one.low is not None for one in shown[-1].bins):
        legend.append(("band", "95 % of draws from a perfectly calibrated model"))
    chart = frame(scale, scale, join(marks), x_title="confidence", y_title="share that is right",
                  name="reliability diagram", height=320)  # fmt: skip
    return tag("div", chart, keys(legend), class_="square")


def _line(kind: Answers, scale: Scale, hue: int, is_last: bool) -> Markup:
    places = [(one.confidence, one.right) for one in kind.bins]
    style = f"curve {colour(hue)}{'' if is_last else ' dashed'}"
    line = paths([tag("path", class_=style, d=trace(places, scale, scale))])
    dots = [
        tag("circle", class_=f"point {colour(hue)}", cx=percent(scale.at(one.confidence)),
            cy=percent(1 - scale.at(one.right)), r="4.5" if is_last else "3", data_tip=_words(kind.name, one))
        for one in kind.bins
    ]  # fmt: skip
    return join([line, *dots])


def _words(name: str, one: Bin) -> str:
    return f"{name}\n{one.count:,} answers\nconfidence {one.confidence:.3f}\nright {one.right:.3f}"


def _band(bins: Sequence[Bin], scale: Scale) -> Markup:
    """Return the area between the ends of the bins that have them."""
    there = [(one.confidence, one.low, one.high) for one in bins if one.low is not None and one.high is not None]
    if len(there) < 2:
        return Markup()
    around = [(x, min(high, 1.0)) for x, _, high in there] + [(x, low) for x, low, _ in reversed(there)]
    places = [(scale.at(x), 1 - min(max(scale.at(y), 0.0), 1.0)) for x, y in around]
    d = "".join(f"{'L' if i else 'M'}{round(UNITS * x)} {round(UNITS * y)}" for i, (x, y) in enumerate(places))
    return paths([tag("path", class_="band", d=f"{d}Z")])
