"""Numbered points over two axes, such as scores over costs, with their intervals, a front and levels.

Points on the front are labelled by name, the others by number; the list beside the chart has all names. There is one
drawing for wide pages and one for narrow ones, since label positions depend on the space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.report.frame import colour, keys
from runner.report.labels import Box, Label, place_labels
from runner.report.markup import Markup, join, tag
from runner.report.scales import Scale, tick_words
from runner.report.text_width import text_width

FONT = 12.0
RADIUS = 5.5
MOST_INTERVALS = 40  # points; more bars would hide them
MOST_NUMBERS = 80  # points with a number
BESIDE = 14  # most points whose list is beside the chart; a longer list is below it, in columns
NAME_REACH = 30.0  # pixels; a name farther from its point would be taken for another's


@dataclass(frozen=True)
class Point:
    """One point. number: in the list. low, high: the interval of y. is_faint: drawn pale, since it does not count as a
    result.
    """

    number: int
    name: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    colour: int = 0
    is_on_front: bool = False
    is_faint: bool = False
    shown: str = ""  # its numbers, in the list
    tip: str = ""


@dataclass(frozen=True)
class Layout:
    """The size of one drawing and the room around its axes, in pixels."""

    width: float
    height: float
    left: float = 58.0
    right: float = 20.0
    top: float = 12.0
    bottom: float = 46.0

    @property
    def area(self) -> Box:
        """The rectangle between the axes."""
        return Box(self.left, self.top, self.width - self.right, self.height - self.bottom)


def scatter(
    points: Sequence[Point],
    *,
    x_title: str,
    y_title: str,
    levels: Sequence[tuple[str, float]] = (),
    legend: Sequence[tuple[str, str]] = (),
) -> Markup:
    """Return the chart and the list of its points.

    levels: horizontal lines by name, such as baselines. legend: of the colours, as `keys` has it.
    """
    is_long = len(points) > BESIDE
    tall = 520.0 if is_long else 430.0
    wide, narrow = Layout(1180.0 if is_long else 800.0, tall), Layout(366.0, 380.0, left=46.0, right=12.0)
    drawings = [
        tag("div", _drawing(points, layout, x_title, y_title, levels), class_=style)
        for layout, style in ((wide, "wide-only"), (narrow, "narrow-only"))
    ]
    _, y = scales(points, levels)
    below = [(f"level{i % 2}", level_words(name, value, y)) for i, (name, value) in enumerate(levels)]
    chart = tag("div", *drawings, keys([*legend, *below]))
    numbered = tag("ol", *(_entry(point) for point in points), class_="points")
    return tag("div", chart, numbered, class_="listed long" if is_long else "listed")


def scales(points: Sequence[Point], levels: Sequence[tuple[str, float]]) -> tuple[Scale, Scale]:
    """Return the scales of both axes; a level far from all points does not stretch them."""
    x = Scale.over((point.x for point in points), can_be_log=True)
    ends = [point.y for point in points]
    if len(points) <= MOST_INTERVALS:
        ends += [end for point in points for end in (point.low, point.high) if end is not None]
    low, high = min(ends), max(ends)
    room = max(high - low, 1e-9)
    near = [value for _, value in levels if low - room <= value <= high + room]
    return x, Scale.over([*ends, *near])


def level_words(name: str, value: float, y: Scale) -> str:
    """Return the text of a level in the legend; it says so if the level is outside the chart."""
    beyond = "" if y.has(value) else (", below the chart" if y.at(value) < 0 else ", above the chart")
    return f"{name} {value:.4g}{beyond}"


def _entry(point: Point) -> Markup:
    name = tag("b" if point.is_on_front else "span", point.name)
    number = tag("span", str(point.number), class_="no")
    return tag("li", number, tag("i", class_=f"dot {colour(point.colour)}"), tag("span", name, " ", tag(
        "span", point.shown, class_="quiet")), data_tip=point.tip or None)  # fmt: skip


def _drawing(
    points: Sequence[Point], layout: Layout, x_title: str, y_title: str, levels: Sequence[tuple[str, float]]
) -> Markup:
    x, y = scales(points, levels)
    area = layout.area

    def at(point_x: float, point_y: float) -> tuple[float, float]:
        left = area.left + x.at(point_x) * (area.right - area.left)
        return round(left, 1), round(area.bottom - y.at(point_y) * (area.bottom - area.top), 1)

    places = [at(point.x, point.y) for point in points]
    parts = [_grid(x, y, layout, x_title, y_title)]
    for i, (_, value) in enumerate(levels):
        if y.has(value):
            height = at(points[0].x, value)[1]
            parts.append(tag("line", class_=f"level level{i % 2}", x1=area.left, x2=area.right, y1=height, y2=height))
    front = sorted(place for place, point in zip(places, points) if point.is_on_front)
    parts.append(
        tag("path", class_="front", d="".join(f"{'L' if i else 'M'}{a} {b}" for i, (a, b) in enumerate(front)))
    )
    if len(points) <= MOST_INTERVALS:
        for point in points:
            if point.low is not None and point.high is not None:
                (left, low), (_, high) = at(point.x, point.low), at(point.x, point.high)
                parts.append(tag("line", class_=f"whisker {colour(point.colour)}", x1=left, x2=left, y1=low, y2=high))
    parts += [_dot(point, place) for point, place in zip(points, places)]
    parts += _names(points, places, area)
    box = f"0 0 {layout.width:g} {layout.height:g}"
    return tag("svg", *parts, viewBox=box, role="img", aria_label=f"{y_title} against {x_title}")


def _grid(x: Scale, y: Scale, layout: Layout, x_title: str, y_title: str) -> Markup:
    area, parts = layout.area, []
    ticks = x.ticks(7 if layout.width > 600 else 4)
    for value, words in zip(ticks, tick_words(ticks)):
        left = round(area.left + x.at(value) * (area.right - area.left), 1)
        parts.append(tag("line", class_="grid", x1=left, x2=left, y1=area.top, y2=area.bottom))
        parts.append(tag("text", words, x=left, y=area.bottom + 17, text_anchor="middle"))
    for value, words in zip(y.ticks(), tick_words(y.ticks())):
        top = round(area.bottom - y.at(value) * (area.bottom - area.top), 1)
        parts.append(tag("line", class_="grid", x1=area.left, x2=area.right, y1=top, y2=top))
        parts.append(tag("text", words, x=area.left - 8, y=top + 4, text_anchor="end"))
    middle = round((area.left + area.right) / 2, 1)
    parts.append(tag("text", x_title, x=middle, y=layout.height - 6, text_anchor="middle"))
    turned = f"translate(12 {round((area.top + area.bottom) / 2, 1)}) rotate(-90)"
    parts.append(tag("text", y_title, transform=turned, text_anchor="middle"))
    return join(parts)


def _dot(point: Point, place: tuple[float, float]) -> Markup:
    style = f"point {colour(point.colour)}{'' if point.is_on_front else ' off'}"
    words = {"data_tip": point.tip or point.name, "tabindex": 0, "aria_label": (point.tip or point.name)}
    if not point.is_faint:
        return tag("circle", class_=style, cx=place[0], cy=place[1], r=RADIUS, **words)
    a, (left, top) = 4, place
    cross = f"M{left - a} {top - a}L{left + a} {top + a}M{left - a} {top + a}L{left + a} {top - a}"
    return tag("path", class_=f"cross {colour(point.colour)}", d=cross, **words)


def _names(points: Sequence[Point], places: Sequence[tuple[float, float]], area: Box) -> list[Markup]:
    """Return numbers beside all points, and names beside those of the front where there is room."""
    dots = [Box(a - RADIUS, b - RADIUS, a + RADIUS, b + RADIUS) for a, b in places]
    numbered = list(range(min(len(points), MOST_NUMBERS)))
    long = [i for i in numbered if points[i].is_on_front]
    named = _placed([f"{points[i].number} {points[i].name}" for i in long], long, places, area, dots, [], NAME_REACH)
    standing = [box for _, _, box in named]
    rest = [i for i in numbered if i not in {index for index, _, _ in named}]
    short_ones = _placed([str(points[i].number) for i in rest], rest, places, area, dots, standing, area.right)
    return [_label(words, box, places[i], points[i]) for i, words, box in [*named, *short_ones]]


def _placed(
    words: Sequence[str], indices: Sequence[int], places: Sequence[tuple[float, float]], area: Box,
    dots: Sequence[Box], taken: Sequence[Box], reach: float,
) -> list[tuple[int, str, Box]]:  # fmt: skip
    """Return those labels for which there is room: index of the point, text, box."""
    labels = [Label(*places[i], text_width(text, FONT) + 2, FONT + 3, RADIUS, reach) for i, text in zip(indices, words)]
    boxes = place_labels(labels, area, dots, taken)
    return [(i, text, box) for i, text, box in zip(indices, words, boxes) if box is not None]


def _label(words: str, box: Box, place: tuple[float, float], point: Point) -> Markup:
    """Return a label, with a line to its point if it is not next to it."""
    x, y = round((box.left + box.right) / 2, 1), round(box.bottom - 4, 1)
    near = (min(max(place[0], box.left), box.right), min(max(place[1], box.top), box.bottom))
    apart = ((near[0] - place[0]) ** 2 + (near[1] - place[1]) ** 2) ** 0.5
    style = "label" if point.is_on_front else "label number"
    written = tag("text", words, class_=style, x=x, y=y, text_anchor="middle")
    if apart <= RADIUS + 8:
        return written
    ends = {"x1": place[0], "y1": place[1], "x2": round(near[0], 1), "y2": round(near[1], 1)}
    return Markup(tag("line", class_="leader", **ends) + written)
