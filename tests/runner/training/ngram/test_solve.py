"""The solvers: optimal weights, classes that are too rare, numbers, and few n-grams by L1."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_matrix
from sklearn.linear_model import LogisticRegression

from runner.training.ngram.solve import FEWEST_ROWS, TOLERANCE, Logistic, Ridge, few_by_l1

RANDOM = np.random.default_rng(0)
ROWS = csc_matrix((RANDOM.random((400, 30)) < 0.2).astype(float))
TRUTH = np.where(np.arange(30) < 3, 2.0, 0.0)
LABELS = (ROWS @ TRUTH + RANDOM.normal(size=400) * 0.5 > 1.0)[None]


def loss(weights: np.ndarray, bias: float, scale: np.ndarray, strength: float) -> float:
    signs = np.where(LABELS[0], 1.0, -1.0)
    own = np.log1p(np.exp(-signs * (ROWS @ weights + bias))).sum()
    return float(strength * own + 0.5 * ((weights / scale) ** 2).sum())


def test_the_weights_are_the_minimum_of_the_penalised_loss_on_scaled_columns() -> None:
    scale = RANDOM.uniform(0.5, 2.0, 30)
    found = Logistic(LABELS).fit(ROWS, scale[None], 0.3)
    best = loss(found.weights[0], found.bias[0], scale, 0.3)
    for change in RANDOM.normal(size=(20, 30)) * 0.02:
        assert loss(found.weights[0] + change, found.bias[0], scale, 0.3) > best
    assert found.scores(ROWS).shape == (400, 1)


def test_a_class_without_a_row_keeps_its_bias_alone() -> None:
    members = np.vstack([LABELS, np.arange(400) < FEWEST_ROWS - 1])
    found = Logistic(members).fit(ROWS, np.ones((2, 30)), 0.3)
    assert found.weights[0].any() and not found.weights[1].any() and found.bias[1] < -4


def test_classes_of_two_rows_are_told_apart() -> None:
    presence = csc_matrix(np.repeat(np.eye(6), 2, axis=0))
    members = np.repeat(np.eye(6, dtype=bool), 2, axis=1)
    found = Logistic(members).fit(presence, np.ones((6, 6)), 0.3)
    assert (found.scores(presence).argmax(axis=1) == np.repeat(np.arange(6), 2)).all()


def test_rows_can_weigh_more() -> None:
    heavier = np.where(LABELS[0], 5.0, 1.0)
    assert (
        Logistic(LABELS, heavier).fit(ROWS, np.ones((1, 30)), 0.3).bias
        > Logistic(LABELS).fit(ROWS, np.ones((1, 30)), 0.3).bias
    )


def test_ridge_finds_the_weights_of_numbers() -> None:
    found = Ridge(ROWS @ TRUTH + 4.0).fit(ROWS, np.full((1, 30), 2.0), 10.0)
    assert np.allclose(found.weights[0], TRUTH, atol=0.05) and abs(found.bias[0] - 4) < 0.05


def test_l1_leaves_the_few_that_matter() -> None:
    few = few_by_l1(ROWS, LABELS, np.ones((1, 30)), 8)
    assert {0, 1, 2} <= set(few.tolist()) and len(few) <= 8
    assert len(few_by_l1(ROWS, LABELS, np.ones((1, 30)), 0)) == 0


def test_l1_counts_the_rows_of_a_class_as_often_as_they_weigh() -> None:
    rare = np.where(LABELS[0], 0.01, 1.0)
    found = few_by_l1(ROWS, LABELS, np.ones((1, 30)), 30, rare)
    assert found.tolist() != few_by_l1(ROWS, LABELS, np.ones((1, 30)), 30).tolist()


def test_the_weights_are_those_of_scikit_learn() -> None:
    wanted = LogisticRegression(C=0.3, tol=TOLERANCE, max_iter=1000).fit(ROWS.tocsr(), LABELS[0])
    found = Logistic(LABELS).fit(ROWS, np.ones((1, 30)), 0.3)
    assert np.allclose(found.weights, wanted.coef_, atol=1e-9) and np.allclose(found.bias, wanted.intercept_)
