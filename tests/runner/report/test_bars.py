"""Bars: shares of the largest, intervals as whiskers."""

from __future__ import annotations

from runner.report.charts import Bar, bars


def test_bars_are_shares_of_the_largest_and_have_their_interval() -> None:
    made = bars([Bar("a", 2.0, "two"), Bar("b", 1.0, "one", 0.5, 1.5)])
    assert 'width="100.00%"' in made and 'width="50.00%"' in made
    assert made.count('class="whisker"') == 1 and 'x1="25.00%"' in made and 'x2="75.00%"' in made


def test_a_bar_does_not_leave_its_frame() -> None:
    assert 'width="100.00%"' in bars([Bar("a", 3.0, "three")], most=1.0) and "<rect" in bars([Bar("z", 0.0, "0")])
