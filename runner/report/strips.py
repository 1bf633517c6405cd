"""One strip per group: a dot for each value, a line at their mean, a band for the interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.report.frame import X_TICKS, colour, keys, percent
from runner.report.markup import Markup, join, tag
from runner.report.scales import Scale, tick_words
from runner.report.scatter import level_words


@dataclass(frozen=True)
class Strip:
    """A group's values, each with its tooltip; their mean, and the interval of the mean."""

    name: str
    values: Sequence[tuple[float, str]]
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    colour: int = 0


def strips(rows: Sequence[Strip], *, title: str, levels: Sequence[tuple[str, float]] = ()) -> Markup:
    """Return the strips below each other over one axis; levels: vertical lines by name, such as baselines."""
    ends = [value for row in rows for value, _ in row.values]
    ends += [end for row in rows for end in (row.low, row.high, row.mean) if end is not None]
    room = max(ends) - min(ends)
    near = [value for _, value in levels if min(ends) - room <= value <= max(ends) + room]
    x = Scale.over([*ends, *near])
    lines = [
        tag("line", class_="grid", x1=(at := percent(x.at(v))), x2=at, y1="0", y2="100%") for v in x.ticks(X_TICKS)
    ]
    lines += [
        tag("line", class_=f"level level{i % 2}", x1=(at := percent(x.at(v))), x2=at, y1="0", y2="100%")
        for i, (_, v) in enumerate(levels)
        if x.has(v)
    ]
    shown = [_strip(row, x, join(lines)) for row in rows]
    ticks = [
        tag("text", words, x=percent(x.at(v)), y="14", text_anchor="middle")
        for v, words in zip(x.ticks(X_TICKS), tick_words(x.ticks(X_TICKS)))
    ]
    axis = tag("div", tag("span"), tag("svg", *ticks, height="20"), class_="axis-row")
    below = keys([(f"level{i % 2}", level_words(name, value, x)) for i, (name, value) in enumerate(levels)])
    return join([tag("div", *shown, axis, class_="strips"), tag("p", title, class_="axis x"), below])


def _strip(row: Strip, x: Scale, lines: Markup) -> Markup:
    parts, hue = [lines], colour(row.colour)
    if row.low is not None and row.high is not None:
        low, high = x.at(row.low), x.at(row.high)
        wide = percent(max(high - low, 0.002))
        parts.append(tag("rect", class_=f"span {hue}", x=percent(low), y="5", width=wide, height="16", rx="4"))
    if row.mean is not None:
        at = percent(x.at(row.mean))
        parts.append(tag("line", class_=f"mean {hue}", x1=at, x2=at, y1="3", y2="23"))
    parts += [
        tag("circle", class_=f"point {hue}", cx=percent(x.at(value)), cy="13", r="5", data_tip=tip, tabindex="0",
            aria_label=tip)
        for value, tip in row.values
    ]  # fmt: skip
    drawing = tag("svg", *parts, height="26", role="img", aria_label=row.name)
    return tag("div", tag("span", row.name, class_="name"), drawing)
