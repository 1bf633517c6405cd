"""Curves: one path each, levels within the curves only, a legend of the names."""

from __future__ import annotations

from runner.report.charts import Curve, curves


def test_curves_and_levels_are_drawn_with_a_legend() -> None:
    lines = [Curve("train", [(1, 0.9), (100, 0.1)]), Curve("val", [(1, 0.8), (100, 0.3)], 1, True), Curve("none", [])]
    made = curves(lines, x_title="step", y_title="loss", levels=[("majority", 0.5), ("far", 9.0)])
    assert made.count("<path") == 2 and 'class="curve k1 dashed"' in made
    assert "majority 0.5" in made and "far" not in made and ">none<" not in made


def test_a_single_point_is_no_division_by_zero() -> None:
    assert "<path" in curves([Curve("a", [(5, 1.0)])], x_title="step", y_title="loss")
