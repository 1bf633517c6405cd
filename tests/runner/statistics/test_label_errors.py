"""Confident learning: golden values of cleanlab 2.9, planted errors, classes without rows."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.label_errors import find_label_errors

LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2])
SHARES = np.array([
    (0.9, 0.05, 0.05), (0.6, 0.3, 0.1), (0.1, 0.8, 0.1), (0.2, 0.7, 0.1), (0.85, 0.1, 0.05), (0.3, 0.6, 0.1),
    (0.1, 0.1, 0.8), (0.2, 0.5, 0.3),
])  # fmt: skip


def test_the_golden_rows_are_counted_and_flagged() -> None:
    found = find_label_errors(LABELS, SHARES)
    assert found.thresholds == pytest.approx([0.533333, 0.466667, 0.55], abs=1e-6)
    assert found.joint.tolist() == [[2, 1, 0], [1, 2, 0], [0, 1, 1]]
    assert sorted(found.rows.tolist()) == [2, 4, 7]
    own = SHARES[found.rows, LABELS[found.rows]]
    assert (np.diff(own) >= 0).all()
    assert found.confident[found.rows].tolist() == [1, 0, 1]


def test_the_order_of_rows_changes_nothing() -> None:
    order = np.random.default_rng(1).permutation(len(LABELS))
    found = find_label_errors(LABELS[order], SHARES[order])
    assert sorted(order[found.rows].tolist()) == [2, 4, 7]


def test_planted_errors_are_found() -> None:
    draw = np.random.default_rng(0)
    truth = draw.integers(3, size=1000)
    shares = np.full((1000, 3), 0.05)
    shares[np.arange(1000), truth] = 0.9
    shares = shares * draw.uniform(0.8, 1.2, shares.shape)
    shares /= shares.sum(axis=1, keepdims=True)
    flipped = draw.choice(1000, 50, replace=False)
    labels = truth.copy()
    labels[flipped] = (truth[flipped] + 1) % 3
    found = find_label_errors(labels, shares)
    assert len(set(found.rows) & set(flipped)) / 50 > 0.9
    assert set(found.rows[:40]) <= set(flipped)


def test_a_class_without_rows_is_never_likelier() -> None:
    shares = np.array([(0.1, 0.1, 0.8), (0.6, 0.2, 0.2), (0.2, 0.6, 0.2)])
    found = find_label_errors(np.array([0, 0, 1]), shares)
    assert np.isnan(found.thresholds[2]) and found.joint[:, 2].sum() == 0
    assert found.confident[0] == -1


def test_a_label_that_the_model_predicts_is_not_doubted() -> None:
    labels = np.array([0] * 9 + [1])
    shares = np.array([(0.98, 0.02)] * 8 + [(0.7, 0.3), (0.8, 0.2)])
    found = find_label_errors(labels, shares)
    assert found.confident[8] == 1 and found.joint[0, 1] == 1, "0.7 is less than the mean of class 0"
    assert not len(found.rows)
