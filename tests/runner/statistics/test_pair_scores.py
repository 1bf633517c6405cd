"""Outcomes of minimal pairs: ties count one half, swapped columns give the rest to 1, intervals have a width."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from runner.statistics.pair_scores import macro_difference, macro_share, pair_outcomes, shorter_outcomes
from runner.statistics.paired import bootstrap_ends, bootstrap_p, resample_mean

SCORES = np.random.default_rng(0).normal(size=(2, 400)).round(1)


def test_a_tie_counts_one_half_and_grows_with_the_length() -> None:
    good, bad = np.array([-3.0, -3.0, -3.0, -3.0]), np.array([-4.0, -2.0, -3.0, -3.000005])
    assert pair_outcomes(good, bad).tolist() == [1.0, 0.0, 0.5, 1.0]
    assert pair_outcomes(good, bad, np.full(4, 10)).tolist() == [1.0, 0.0, 0.5, 0.5]


def test_swapped_columns_give_one_minus_the_accuracy_exactly() -> None:
    outcomes, swapped = pair_outcomes(*SCORES), pair_outcomes(*SCORES[::-1])
    assert (outcomes == 0.5).any()
    assert np.array_equal(outcomes, 1 - swapped)


def test_the_shorter_sentence_is_preferred_and_equal_lengths_tie() -> None:
    assert shorter_outcomes([3, 4, 5], [4, 4, 2]).tolist() == [1.0, 0.5, 0.0]


def test_the_mean_is_over_paradigms_and_not_over_pairs() -> None:
    share = macro_share({"a": np.ones(900), "b": np.array([0.0, 1.0] * 50)})
    assert share.mean == 0.75
    assert share.low < 0.75 < share.high


def test_paradigms_are_drawn_independently_and_so_four_have_half_the_width_of_one() -> None:
    outcomes = np.repeat([0.0, 1.0], 100)
    four = dict.fromkeys("abcd", outcomes)
    one = macro_share({"a": outcomes})
    share, difference = macro_share(four), macro_difference(four, {name: np.full(200, 0.25) for name in four})
    assert share.high - share.low == pytest.approx((one.high - one.low) / 2, rel=0.1)
    assert difference.high - difference.low == pytest.approx((one.high - one.low) / 2, rel=0.1)


def test_a_thousand_pairs_at_one_half_have_an_interval_of_three_points() -> None:
    share = macro_share({"a": np.repeat([0.0, 1.0], 500)})
    assert (share.high - share.low) / 2 == pytest.approx(0.031, abs=0.003)


def test_few_pairs_that_are_all_right_have_an_interval_with_a_width() -> None:
    few, many = macro_share({"a": np.ones(5)}), macro_share({"a": np.ones(1000)})
    assert (few.mean, few.high) == (1.0, 1.0)
    assert few.low < 0.8
    assert many.low > 0.995
    assert macro_share({"a": np.zeros(5)}).high > 0.2


def test_all_ties_are_exactly_one_half() -> None:
    share = macro_share({"a": np.full(1000, 0.5)})
    assert (share.mean, share.low, share.high) == (0.5, 0.5, 0.5)


def test_a_difference_is_paired_by_pair() -> None:
    first = {"a": np.tile([0.0, 1.0], 200), "b": np.tile([1.0, 0.5], 200)}
    better = {name: np.minimum(1.0, values + (np.arange(400) % 8 == 0)) for name, values in first.items()}
    found = macro_difference(better, first)
    assert found.mean == pytest.approx(1 / 16)
    assert 0 < found.low < 1 / 16 < found.high
    assert found.p < 0.01
    same = macro_difference(first, first)
    assert (same.mean, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("pairs", [4, 30])
def test_the_share_of_pairs_that_are_all_right_is_drawn_from_its_posterior(pairs: int) -> None:
    right, wrong = macro_share({"a": np.ones(pairs)}), macro_share({"a": np.zeros(pairs)})
    assert right.low == pytest.approx(beta(pairs + 0.5, 0.5).ppf(0.025), abs=0.02)
    assert wrong.high == pytest.approx(beta(0.5, pairs + 0.5).ppf(0.975), abs=0.02)


def test_a_difference_of_few_pairs_is_of_as_many_units_as_are_free_within_paradigms() -> None:
    one = {"a": np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.5])}
    first = one | {"b": np.array([1.0, 1.0, 0.0])}
    for outcomes, units in ((one, 6), (first, 5 + 2 + 1)):
        found = macro_difference(outcomes, {name: np.zeros(len(values)) for name, values in outcomes.items()})
        drawn = np.mean([resample_mean(values, seed=seed) for seed, values in enumerate(outcomes.values())], axis=0)
        assert (found.low, found.high) == bootstrap_ends(drawn, units)
        assert found.p == bootstrap_p(drawn, units)
        assert found.high - found.low > 1.05 * np.ptp(np.quantile(drawn, [0.025, 0.975])), "wider than of many pairs"
