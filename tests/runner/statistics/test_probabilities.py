"""Scores of probabilities: values by hand, and those of scikit-learn on random rows with ties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from runner.statistics.ece import ece, ece_equal_width, ece_floor
from runner.statistics.probabilities import (
    auroc,
    auroc_of,
    average_precision,
    average_precision_of,
    brier,
    log_loss,
    probability_scores,
    softmax,
    uncalibrated_scores,
)

SHARES = np.array([(0.7, 0.2, 0.1), (0.1, 0.8, 0.1), (0.3, 0.3, 0.4), (1, 0, 0)])
LABELS = np.array([0, 1, 0, 0])
BINARY = np.array([0.9, 0.4, 0.35, 0.8])
RANKED = np.array(
    [(0.6, 0.3, 0.1), (0.2, 0.5, 0.3), (0.1, 0.2, 0.7), (0.3, 0.4, 0.3), (0.3, 0.4, 0.3), (0.4, 0.4, 0.2)]
)
OF_RANKED = np.array([0, 1, 2, 2, 1, 0])


def test_values_by_hand() -> None:
    two, labels = np.stack([1 - BINARY, BINARY], 1), np.array([1, 0, 1, 1])
    assert (brier(SHARES, LABELS), brier(two, labels)) == pytest.approx((0.235, 0.31625), abs=1e-12)
    assert (log_loss(SHARES, LABELS), log_loss(two, labels)) == pytest.approx((0.445948, 0.472288), abs=5e-7)
    assert log_loss(np.array([[0.0, 1.0]]), np.array([0])) == pytest.approx(36.04, abs=0.02)
    assert auroc_of(RANKED, OF_RANKED) == pytest.approx(0.916667, abs=5e-7)
    assert average_precision_of(RANKED, OF_RANKED) == pytest.approx(0.833333, abs=5e-7)


@pytest.mark.parametrize(
    ("labels", "values", "area", "precision"),
    [
        ((0, 0, 1, 1), (0.1, 0.4, 0.35, 0.8), 0.75, 0.833333),
        ((0, 0, 1, 1, 1, 0), (0.2, 0.5, 0.5, 0.5, 0.9, 0.9), 0.611111, 0.566667),
        ((0, 1, 0, 1), (3, 3, 3, 3), 0.5, 0.5),
    ],
)
def test_ranking_by_hand(labels: tuple[int, ...], values: tuple[float, ...], area: float, precision: float) -> None:
    found = (score(np.array(labels) == 1, np.array(values)) for score in (auroc, average_precision))
    assert list(found) == pytest.approx([area, precision], abs=5e-7)


def test_ranking_is_that_of_scikit_learn_with_ties() -> None:
    for seed in range(200):
        random = np.random.default_rng(seed)
        values = random.integers(0, random.integers(2, 30), size=40)
        labels = random.random(40) < random.random()
        if labels.all() or not labels.any():
            assert auroc(labels, values) is None and average_precision(labels, values) is None
            continue
        assert auroc(labels, values) == pytest.approx(metrics.roc_auc_score(labels, values), abs=1e-12)
        expected = metrics.average_precision_score(labels, values)
        assert average_precision(labels, values) == pytest.approx(expected, abs=1e-12)


def test_a_class_without_rows_is_left_out_of_the_means_and_one_class_has_no_ranking() -> None:
    shares, labels = softmax(np.random.default_rng(0).normal(size=(30, 3))), np.arange(30) % 2
    halves = [auroc(labels == label, shares[:, label]) for label in (0, 1)]
    assert auroc_of(shares, labels) == pytest.approx(np.mean([one for one in halves if one is not None]))
    found = probability_scores(shares[:, :2], np.zeros(30, np.int64))
    assert "auroc" not in found and "average_precision" not in found and "ece" in found


def test_the_order_of_rows_changes_no_score() -> None:
    random = np.random.default_rng(1)
    shares, labels = softmax(random.normal(size=(200, 4)).round(1)), random.integers(4, size=200)
    order = random.permutation(200)
    for scores in (probability_scores, uncalibrated_scores):
        assert scores(shares[order], labels[order]) == pytest.approx(scores(shares, labels), abs=1e-12)


def test_scores_of_calibration_are_of_the_largest_probability_and_whether_it_is_right() -> None:
    random = np.random.default_rng(2)
    logits, labels = random.normal(size=(300, 20)), random.integers(20, size=300)
    shares = softmax(logits)
    assert shares == pytest.approx(special.softmax(logits, axis=1))
    confidence, is_right = shares.max(axis=1), shares.argmax(axis=1) == labels
    floor = ece_floor(confidence)
    found = probability_scores(shares, labels)
    assert found["ece"] == ece(confidence, is_right) == uncalibrated_scores(shares, labels)["ece_uncalibrated"]
    assert found["ece_equal_width"] == ece_equal_width(confidence, is_right)
    assert (found["ece_floor"], found["ece_floor_95"]) == (floor.mean, floor.high)
    assert found["ece_debiased"] == pytest.approx(np.sqrt(found["ece"] ** 2 - floor.mean**2))


def test_of_two_classes_the_ranking_is_of_the_positive_one() -> None:
    shares, labels = np.array([(0.9, 0.1), (0.4, 0.6), (0.2, 0.8), (0.3, 0.7)]), np.array([0, 0, 1, 0])
    found = [probability_scores(shares, labels, positive)["average_precision"] for positive in (0, 1)]
    assert found == [average_precision(labels == one, shares[:, one]) for one in (0, 1)]
