"""Slices against their rest, and two models on each slice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from runner.statistics.slices import against_the_rest, between_models, difference_p, usable


def test_small_counts_are_tested_exactly_and_large_ones_by_chi_squared() -> None:
    assert difference_p(10, 40, 90, 100) == pytest.approx(stats.fisher_exact([[10, 30], [90, 10]]).pvalue)
    table = np.array([[400, 600], [900, 1100]])
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert difference_p(400, 1000, 900, 2000) == pytest.approx(expected)
    rare = [[30, 1], [4996, 4]]  # an expected count below 5, so no approximation
    assert difference_p(30, 31, 4996, 5000) == pytest.approx(stats.fisher_exact(rare).pvalue)


def test_rows_that_are_all_right_do_not_differ() -> None:
    assert difference_p(50, 50, 70, 70) == 1.0


def test_a_slice_is_worse_only_after_the_correction() -> None:
    is_right = np.ones(400, bool)
    is_right[:60:2] = False
    bad, same, seventh = np.arange(400) < 60, np.arange(400) % 2 == 0, np.arange(400) % 7 == 0
    found = {one.name: one for one in against_the_rest(is_right, [("bad", bad), ("seventh", seventh)])}
    assert found["bad"].in_words == "worse than the rest" and found["bad"].is_worse
    assert (found["bad"].share, found["bad"].rest) == (0.5, 1.0)
    assert found["bad"].low < 0.5 < found["bad"].high
    assert found["seventh"].in_words == "no difference visible (58)" and not found["seventh"].is_worse
    assert found["bad"].p_holm == pytest.approx(2 * found["bad"].p)
    assert usable(same) and not usable(np.arange(400) < 29) and not usable(np.arange(400) < 371)


def test_models_are_compared_on_each_slice() -> None:
    first = np.arange(300) < 200
    second = np.ones(300, bool)
    second[:5] = False
    found = between_models(first, second, [("begin", np.arange(300) < 100), ("end", np.arange(300) >= 200)])
    assert [one.name for one in found] == ["end", "begin"]
    assert (found[0].only_first, found[0].only_second, found[0].difference) == (0, 100, 1.0)
    assert found[0].in_words == "B is better"
    assert found[1].in_words == "no difference visible (100)"
