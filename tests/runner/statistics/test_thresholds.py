"""Thresholds of labels: the highest F1, of equal ones the highest, and what rounding may not change."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from runner.statistics.thresholds import best_threshold, one_threshold, rounded, sets_of, threshold_of_each

LABELS = np.array([(1, 0, 0, 1), (0, 1, 0, 1), (1, 0, 0, 0)]).T
SCORES = np.array([(0.9, 0.3, 0.2, 0.7), (0.2, 0.8, 0.1, 0.6), (0.4, 0.6, 0.3, 0.5)]).T


def test_thresholds_of_a_case_by_hand() -> None:
    found, kept = threshold_of_each(SCORES, LABELS)
    assert found.tolist() == [0.7, 0.6, 0.4] and kept == []
    sets = sets_of(SCORES, found)
    assert [f1_score(truth, one) for truth, one in zip(LABELS.T, sets.T)] == [1.0, 1.0, 0.5]


def test_a_label_without_a_row_keeps_one_half_and_is_named() -> None:
    found, kept = threshold_of_each(SCORES, LABELS * [1, 0, 1])
    assert found.tolist() == [0.7, 0.5, 0.4] and kept == [1]


def test_a_probability_of_zero_stays_a_threshold() -> None:
    assert best_threshold(np.zeros(3), np.ones(3)) == rounded(0.0) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_no_other_candidate_has_a_higher_f1_and_no_higher_one_an_equal_f1(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, labels = random.integers(0, 20, 60) / 20, random.random(60) < 0.3
    f1 = {one: f1_score(labels, scores >= one) for one in np.unique(scores)}
    best = best_threshold(scores, labels)
    assert best == max(one for one, value in f1.items() if value == pytest.approx(max(f1.values()), abs=1e-12))


def test_one_threshold_has_the_highest_f1_of_all_labels_together() -> None:
    found = one_threshold(SCORES, LABELS)
    values = [f1_score(LABELS, one <= SCORES, average="micro") for one in np.unique(SCORES)]
    assert len(set(found.tolist())) == 1
    assert f1_score(LABELS, found <= SCORES, average="micro") == pytest.approx(max(values))


@pytest.mark.parametrize("threshold", [0.7, 1 / 3, 0.9999999, 1e-9, 2 / 3])
def test_a_rounded_threshold_is_never_above_the_score_that_it_was_taken_from(threshold: float) -> None:
    assert threshold - 1.1e-6 <= rounded(threshold) <= threshold


@pytest.mark.parametrize("threshold", [9.9996e-5, 5.678e-7, 1e-9, 3.2109e-12])
def test_a_small_threshold_keeps_three_digits_and_never_becomes_zero(threshold: float) -> None:
    assert 0.99 * threshold <= rounded(threshold) <= threshold and len(repr(rounded(threshold))) <= len("0.111111")


def test_a_rare_label_is_not_given_to_every_row_where_its_probabilities_are_tiny() -> None:
    scores = np.array([[4e-7, 2e-9, 1e-9, 3e-9]]).T
    found, _ = threshold_of_each(scores, np.array([[1, 0, 0, 0]]).T)
    assert sets_of(scores, found).ravel().tolist() == [True, False, False, False]


def test_the_likeliest_label_is_taken_where_none_reaches_its_threshold_on_request() -> None:
    scores = np.array([[0.1, 0.3], [0.6, 0.7]])
    assert sets_of(scores, [0.5, 0.5]).tolist() == [[False, False], [True, True]]
    assert sets_of(scores, [0.5, 0.5], at_least_one=True).tolist() == [[False, True], [True, True]]
