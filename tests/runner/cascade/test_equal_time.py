"""Comparison at equal mean time: between two points in proportion, never the nearest one."""

from __future__ import annotations

import pytest

from runner.cascade.equal_time import Point, at_equal_time, front, score_at

CURVE = [Point(4, 0.90), Point(1, 0.80), Point(2, 0.86), Point(3, 0.85)]


def test_front_leaves_out_points_that_a_faster_one_betters() -> None:
    assert front(CURVE) == [Point(1, 0.80), Point(2, 0.86), Point(4, 0.90)]
    assert front([]) == []


@pytest.mark.parametrize(("ms", "score"), [(1, 0.80), (1.5, 0.83), (3, 0.88), (4, 0.90), (9, 0.90), (0.5, None)])
def test_score_is_interpolated_on_the_front(ms: float, score: float | None) -> None:
    assert score_at(CURVE, ms) == (None if score is None else pytest.approx(score))


def test_the_best_at_a_time_comes_first_and_what_does_not_reach_it_last() -> None:
    found = at_equal_time({"slow": [Point(5, 0.99)], "flat": [Point(1, 0.84)], "curve": CURVE}, 1.5)
    assert [(one.name, one.score) for one in found] == [("flat", 0.84), ("curve", pytest.approx(0.83)), ("slow", None)]
    assert found[2].fastest == Point(5, 0.99)
