"""Tests over folds: golden values computed by hand, and how often equal recipes are called different."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.resampled import Resampled, corrected_t, five_by_two_f, five_by_two_t

TEN = (0.02, 0.01, 0.03, -0.01, 0.02, 0.0, 0.01, 0.02, 0.03, 0.01)
ROWS = np.array([(0.02, 0.01), (0.03, 0.0), (-0.01, 0.02), (0.01, 0.01), (0.02, 0.03)])


def over_folds(values: tuple[float, ...], ratio: float) -> Resampled:
    found = corrected_t(values, ratio)
    assert found is not None
    return found


def test_ten_folds_have_the_golden_values() -> None:
    found = over_folds(TEN, 1 / 9)
    assert found.mean == pytest.approx(0.014)
    assert found.statistic == pytest.approx(2.408865, abs=5e-7)
    assert found.p == pytest.approx(0.039322, abs=5e-7)
    assert (found.low, found.high) == pytest.approx((0.000853, 0.027147), abs=5e-7)
    assert found.degrees == 9


def test_five_folds_have_the_golden_values() -> None:
    found = over_folds(TEN[:5], 1 / 4)
    assert (found.statistic, found.p) == pytest.approx((1.376125, 0.240802), abs=5e-7)


def test_without_overlap_it_is_the_plain_t_test() -> None:
    assert (over_folds(TEN, 0.0).statistic, over_folds(TEN, 0.0).p) == pytest.approx((3.5, 0.006724), abs=5e-7)
    assert over_folds(TEN[:5], 0.0).statistic == pytest.approx(2.064187, abs=5e-7)


def test_two_folds_are_tested_with_one_degree_of_freedom() -> None:
    found = over_folds((0.01, 0.03), 1.0)  # mean 0.02, variance 0.0002, error sqrt(1.5 * 0.0002)
    assert (found.degrees, found.statistic) == (1, pytest.approx(2 / 3**0.5))
    assert found.p == pytest.approx(2 * (0.5 - np.arctan(2 / 3**0.5) / np.pi))  # Cauchy's distribution


def test_values_without_scatter_have_no_test() -> None:
    assert corrected_t([0.02] * 5, 1 / 4) is None
    assert corrected_t([0.02], 1 / 4) is None
    assert corrected_t([0.02, float("nan")], 1.0) is None


def test_five_by_two_has_the_golden_values() -> None:
    assert five_by_two_t(ROWS) == pytest.approx((1.414214, 0.216437), abs=5e-7)
    assert five_by_two_f(ROWS) == pytest.approx((1.7, 0.290306), abs=5e-7)
    with pytest.raises(ValueError, match="5 x 2 differences"):
        five_by_two_f(ROWS[:4])
    with pytest.raises(ValueError, match="no test"):
        five_by_two_t(np.full((5, 2), 0.01))


def test_equal_recipes_are_called_different_in_five_of_a_hundred_data_sets_by_5_x_5_folds() -> None:
    """Two nearest-mean classifiers that see other halves of the features: equal in expectation, by symmetry."""
    draws = np.random.default_rng(0)
    corrected, plain = np.array([_are_called_different(draws) for _ in range(300)]).mean(axis=0)
    assert corrected <= 0.08  # 5 % and two standard errors
    assert plain >= 0.3


def _are_called_different(draws: np.random.Generator, rows: int = 300, features: int = 10) -> tuple[bool, bool]:
    labels = draws.integers(2, size=rows)
    inputs = draws.normal(size=(rows, features)) + 0.25 * (2 * labels[:, None] - 1)
    differences = []
    for _ in range(5):
        fold = draws.permutation(rows) % 5
        differences += [_difference(inputs, labels, fold == held) for held in range(5)]
    found, naive = corrected_t(differences, 1 / 4), corrected_t(differences, 0.0)
    return bool(found and found.p < 0.05), bool(naive and naive.p < 0.05)


def _difference(inputs: np.ndarray, labels: np.ndarray, held: np.ndarray) -> float:
    """The accuracy on the rows held out of a classifier of the first half of the features, less that of the second."""
    means = np.stack([inputs[~held & (labels == label)].mean(axis=0) for label in (0, 1)])
    votes = (means[1] - means[0]) * (inputs[held] - means.mean(axis=0))
    half = inputs.shape[1] // 2
    right = [((part.sum(axis=1) > 0) == labels[held]).mean() for part in (votes[:, :half], votes[:, half:])]
    return float(right[0] - right[1])
