"""Reliability diagrams: points at confidence and share, the band of a perfect model."""

from __future__ import annotations

from runner.report.charts import Answers, Bin, reliability


def test_both_ways_of_making_probabilities_are_drawn() -> None:
    before = Answers("before", [Bin(0.6, 0.5, 100), Bin(0.9, 0.7, 50)], "ECE 0.140")
    after = Answers("after", [Bin(0.55, 0.5, 100, 0.45, 0.65), Bin(0.8, 0.75, 50, 0.7, 0.9)], "ECE 0.050")
    made = reliability([before, after])
    assert made.count("<circle") == 4 and made.count('class="band"') == 2  # the area and its key
    assert "before ECE 0.140" in made and "after ECE 0.050" in made
    assert "100 answers\nconfidence 0.600\nright 0.500" in made


def test_without_draws_there_is_no_band() -> None:
    assert "band" not in reliability([Answers("score", [Bin(0.9, 0.8, 10)])])
