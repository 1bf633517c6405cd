"""Strips: a dot for each value, a stroke at the mean, a band, levels."""

from __future__ import annotations

from runner.report.strips import Strip, strips


def test_each_value_is_a_dot_and_each_level_a_line_in_every_strip() -> None:
    rows = [Strip("<a>", [(0.8, "seed 0"), (0.9, "seed 1")], 0.85, 0.7, 1.0), Strip("b", [(0.75, "seed 0")])]
    made = strips(rows, title="accuracy", levels=[("majority", 0.6), ("far", -9.0)])
    assert made.count("<circle") == 3 and made.count('class="span') == 1 and made.count('class="mean') == 1
    assert "&lt;a&gt;" in made and made.count('class="level level0"') == 2 and 'class="level level1"' not in made
    assert "far -9, below the chart" in made


def test_a_single_value_has_an_axis() -> None:
    assert "<text" in strips([Strip("a", [(0.5, "")])], title="t")
