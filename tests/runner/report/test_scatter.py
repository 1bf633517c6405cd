"""Numbered points: names on the front, numbers elsewhere, a list of all, levels that do not stretch the axis."""

from __future__ import annotations

import re

from runner.report.scatter import Point, level_words, scales, scatter


def points(count: int) -> list[Point]:
    return [Point(i + 1, f"model <{i}>", 1000.0 * 1.5**i, 0.5 + i / 100, 0.4, 0.9, i % 3, i < 2) for i in range(count)]


def test_points_of_the_front_have_names_and_all_others_numbers() -> None:
    made = scatter(points(12), x_title="bytes", y_title="accuracy")
    labels = re.findall(r'<text class="label( number)?"[^>]*>([^<]*)</text>', made)
    assert ("", "1 model &lt;0&gt;") in labels and (" number", "12") in labels
    assert len(labels) == 2 * 12 and made.count("<li>") == 12 and "<b>model &lt;1&gt;</b>" in made


def test_more_points_than_fit_have_no_numbers_and_no_intervals() -> None:
    made = scatter(points(90), x_title="bytes", y_title="accuracy")
    assert made.count("<circle") == 2 * 90 and "whisker" not in made and made.count('<text class="label') <= 2 * 80


def test_a_level_far_from_all_points_does_not_stretch_the_axis() -> None:
    near, far = [("majority", 0.3)], [("majority", -7.0)]
    _, plain = scales(points(5), [])
    _, stretched = scales(points(5), near)
    assert stretched.low < plain.low and scales(points(5), far)[1] == plain
    assert level_words("majority", -7.0, plain) == "majority -7, below the chart"
    assert level_words("majority", 0.6, plain) == "majority 0.6"


def test_what_counts_as_no_result_is_a_cross() -> None:
    assert 'class="cross k0"' in scatter([Point(1, "a", 1.0, 0.5, is_faint=True)], x_title="x", y_title="y")
