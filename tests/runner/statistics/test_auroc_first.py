"""The area under the ROC curve of the first class, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from runner.statistics.answers import Answers
from runner.statistics.auroc_first import AurocFirst, margins_of
from runner.statistics.intervals import wilson_interval
from runner.statistics.probabilities import softmax

ROWS = 300


def answers(classes: int = 3, seed: int = 0, skill: float = 1.0) -> Answers:
    random = np.random.default_rng(seed)
    labels = np.random.default_rng(9).integers(0, classes, ROWS)
    logits = random.normal(size=(ROWS, classes)).round(1) + skill * np.eye(classes)[labels]  # rounded: with ties
    return Answers({"label": labels, "prediction": logits.argmax(1), "margin": margins_of(logits).round(1)})


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_the_value_is_scikit_learns_also_with_ties(classes: int) -> None:
    one = answers(classes)
    expected = roc_auc_score(one["label"] != 0, one["margin"])
    assert AurocFirst().value(one) == pytest.approx(expected, abs=1e-12) and 0.6 < expected < 0.9


def test_a_margin_orders_rows_as_the_probability_of_all_other_classes_does() -> None:
    logits = np.random.default_rng(1).normal(scale=4, size=(50, 4))
    shares = 1 - softmax(logits)[:, 0]
    np.testing.assert_allclose(margins_of(logits), np.log(shares / (1 - shares)), atol=1e-9)


def test_draws_of_rows_are_scored_as_if_the_rows_were_repeated() -> None:
    one = answers()
    counts = np.random.default_rng(2).multinomial(ROWS, np.full(ROWS, 1 / ROWS), size=5)
    rows = [np.repeat(np.arange(ROWS), each) for each in counts]
    expected = [roc_auc_score(one["label"][some] != 0, one["margin"][some]) for some in rows]
    np.testing.assert_allclose(AurocFirst().over(one)(counts), expected, atol=1e-12)


def test_interval_and_paired_test_tell_a_better_model_from_an_equal_one() -> None:
    good, other, poor = answers(seed=0), answers(seed=1), answers(seed=2, skill=0.0)
    low, high = AurocFirst().interval(good)
    assert low < AurocFirst().value(good) < high and high - low < 0.15
    assert AurocFirst().compare([(good, poor)])[1] < 0.01
    assert AurocFirst().compare([(good, other)])[1] > 0.05


def test_answers_that_do_not_vary_and_rows_of_one_side_are_chance() -> None:
    labels = np.array([0, 1, 2, 0])
    assert AurocFirst().value(Answers({"label": labels, "margin": np.zeros(4)})) == 0.5
    assert AurocFirst().value(Answers({"label": labels * 0, "margin": np.arange(4.0)})) == 0.5


@pytest.mark.parametrize("first", [4, 30])
def test_rows_that_are_all_in_order_leave_room_for_chance(first: int) -> None:
    perfect = Answers({"label": np.array([0] * first + [1] * (34 - first)), "margin": np.arange(34.0)})
    assert AurocFirst().value(perfect) == 1.0
    assert AurocFirst().interval(perfect) == wilson_interval(1.0, 4), "four disjoint pairs are independent"
