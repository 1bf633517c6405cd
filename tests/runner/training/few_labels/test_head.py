"""A last layer that scikit-learn fits on vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from models.build import build
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.heads.target_scale import standardise_targets
from models.settings import ModelSettings
from runner.training.few_labels.head import STRENGTHS, FittedHead, fit_head, put_into

RANDOM = np.random.default_rng(0)
LABELS = np.arange(90) % 3
VECTORS = (RANDOM.normal(size=(90, 6)) + 2 * np.eye(6)[LABELS]).astype(np.float32)


def accuracy(vectors: np.ndarray, labels: np.ndarray) -> float:
    return float((vectors.argmax(1) == labels).mean())


@pytest.mark.parametrize("classes", [2, 3])
def test_the_probabilities_are_those_of_scikit_learn_in_the_unit_of_the_vectors(classes: int) -> None:
    rows = classes > LABELS
    vectors, labels = VECTORS[rows], LABELS[rows]
    length = np.sqrt(np.square(vectors).sum(1).mean())
    expected = LogisticRegression(C=3.0, max_iter=2000).fit(vectors / length, labels).predict_proba(vectors / length)
    for scale in (1.0, 50.0):
        found = fit_head(vectors * scale, labels, classes, lambda head: 0.0, strengths=[3.0])
        logits = torch.from_numpy(found.outputs(vectors * scale))
        np.testing.assert_allclose(logits.softmax(1), expected, atol=1e-3)


def test_the_strength_has_the_best_score_and_of_equals_the_strongest_penalty() -> None:
    tried = list[float]()

    def score(head: FittedHead) -> float:
        tried.append(head.strength)
        return float(head.strength in (3.0, 10.0))

    found = fit_head(VECTORS, LABELS, 3, score)
    assert tried == list(STRENGTHS) and found.strength == 3.0
    assert "C 3, the best of 0.3, 1, 3, 10, 30" in found.sentence()
    assert "best of" not in fit_head(VECTORS, LABELS, 3, score, strengths=[1.0]).sentence()


def test_rows_that_may_not_choose_are_in_the_last_fit_alone() -> None:
    choosing, seen = np.arange(90) < 60, list[FittedHead]()

    def score(head: FittedHead) -> float:
        seen.append(head)
        return -abs(head.strength - 1.0)

    found = fit_head(VECTORS, LABELS, 3, score, choosing=choosing)
    whole = fit_head(VECTORS, LABELS, 3, score, strengths=[1.0])
    np.testing.assert_array_equal(found.weights, whole.weights)
    assert found.strength == 1.0 and (seen[1].weights != found.weights).any()


def test_a_class_without_a_row_is_never_the_answer() -> None:
    rows = LABELS != 1
    found = fit_head(VECTORS[rows], LABELS[rows], 4, lambda head: 0.0, strengths=[1.0])
    assert set(found.outputs(VECTORS[rows]).argmax(1)) == {0, 2}
    alone = fit_head(VECTORS[:3], np.full(3, 2), 4, lambda head: 0.0, strengths=[1.0])
    assert set(alone.outputs(VECTORS).argmax(1)) == {2}


def test_numbers_are_fitted_by_ridge_and_standardised_in_the_network() -> None:
    targets = (VECTORS @ np.arange(6) * 10 + 100).astype(np.float32)
    length = np.sqrt(np.square(VECTORS).sum(1).mean())
    expected = Ridge(alpha=0.1).fit(VECTORS / length, targets).predict(VECTORS / length)
    found = fit_head(VECTORS, targets, 1, lambda head: 0.0, strengths=[10.0])
    np.testing.assert_allclose(found.outputs(VECTORS)[:, 0], expected, rtol=1e-4)
    settings = ModelSettings(name="dsn", family="dsn", hidden=6, width=1.0, readout={"name": "mean"})
    network, _ = build(settings, HeadSpec("text", 1, "regression"), vocab_size=10)
    assert isinstance(network, LinearHead)
    standardise_targets(network, mean=100.0, sd=20.0, is_fresh=True)  # type: ignore[arg-type]
    put_into(network, found)
    with torch.no_grad():
        answers = network.eval().score(torch.from_numpy(VECTORS))
    np.testing.assert_allclose(answers[:, 0], expected, rtol=1e-4)
