"""Scores of sets of labels, by hand and by scikit-learn."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from runner.statistics.answers import Answers
from runner.statistics.intervals import wilson_interval
from runner.statistics.label_set_scores import LABEL_SET_SCORES, average_precision, ranking_precision

LABELS = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]])
SETS = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]])
SCORES = np.array([[0.9, 0.2, 0.4, 0.1], [0.3, 0.8, 0.6, 0.1], [0.2, 0.1, 0.3, 0.4], [0.7, 0.6, 0.5, 0.1]])


def answers_of(labels: np.ndarray, sets: np.ndarray, scores: np.ndarray) -> Answers:
    columns = {"label": labels.ravel(), "prediction": sets.ravel(), "logit": scores.ravel()}
    return Answers(columns, np.arange(len(labels) + 1) * labels.shape[1])


def value(name: str, labels: np.ndarray = LABELS, sets: np.ndarray = SETS, scores: np.ndarray = SCORES) -> float:
    return LABEL_SET_SCORES[name].value(answers_of(labels, sets, scores))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("f1_micro", 0.8), ("f1_macro_all", 0.5), ("f1_macro", 0.666667), ("f1_samples", 0.833333),
        ("f1_weighted", 0.8), ("subset_accuracy", 0.5), ("hamming_loss", 0.125), ("lrap", 1.0),
        ("map_labels", 0.777778),
    ],
)  # fmt: skip
def test_scores_of_four_rows_whose_last_label_never_occurs(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected, abs=1e-6)


def drawn(rows: int, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = random.integers(0, 7, (rows, labels)) / 7  # many ties
    return (random.random((rows, labels)) < 0.3).astype(int), (scores > 0.5).astype(int), scores


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    labels, sets, scores = drawn(60, 5, seed)
    expected = {
        f"f1_{average}": sklearn_metrics.f1_score(labels, sets, average=average, zero_division=0)
        for average in ("micro", "macro", "weighted")
    }
    expected["f1_samples"] = sklearn_metrics.f1_score(labels, sets, average="samples", zero_division=1)
    expected["precision_micro"] = sklearn_metrics.precision_score(labels, sets, average="micro")
    expected["recall_micro"] = sklearn_metrics.recall_score(labels, sets, average="micro")
    expected["subset_accuracy"] = sklearn_metrics.accuracy_score(labels, sets)
    expected["hamming_loss"] = sklearn_metrics.hamming_loss(labels, sets)
    expected["lrap"] = sklearn_metrics.label_ranking_average_precision_score(labels, scores)
    expected["map_labels"] = sklearn_metrics.average_precision_score(labels, scores, average="macro")
    assert {name: value(name, labels, sets, scores) for name in expected} == pytest.approx(expected, abs=1e-12)


def test_rows_drawn_twice_count_twice_in_each_of_several_draws() -> None:
    labels, sets, scores = drawn(40, 4, 7)
    draws = [np.random.default_rng(seed).integers(0, 40, 40) for seed in range(3)]
    counts = np.stack([np.bincount(rows, minlength=40) for rows in draws]).astype(float)
    for name, score in LABEL_SET_SCORES.items():
        weighted = score.over(answers_of(labels, sets, scores))(counts)
        expected = [value(name, labels[rows], sets[rows], scores[rows]) for rows in draws]
        assert weighted == pytest.approx(expected, abs=1e-12), name


def test_the_precision_of_a_single_label_that_occurs_is_its_own() -> None:
    labels = np.array([[1, 0], [0, 0], [1, 0]])
    assert value("map_labels", labels, labels, np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])) == (1 + 2 / 3) / 2


def test_ranking_counts_rows_without_labels_as_right_and_labels_of_equal_scores_together() -> None:
    labels = np.array([[False, False, False], [True, True, True], [True, False, False]])
    assert ranking_precision(labels, np.ones((3, 3))).tolist() == [1.0, 1.0, pytest.approx(1 / 3)]


@pytest.mark.parametrize("name", ["f1_micro", "f1_macro", "f1_weighted", "f1_samples", "lrap", "map_labels"])
def test_an_interval_of_sets_that_are_all_right_is_wilsons_over_the_rows_that_count(name: str) -> None:
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 5)
    rows = 15 if name in ("f1_micro", "f1_macro", "f1_weighted", "map_labels") else 20
    found = LABEL_SET_SCORES[name].interval(answers_of(labels, labels, labels * 2.0 - 1))
    assert found == pytest.approx(wilson_interval(1.0, rows))


def test_precision_without_an_answer_and_recall_without_a_label_have_the_widest_interval() -> None:
    nothing = np.zeros((40, 3), np.int8)
    some = nothing.copy()
    some[:30, 0] = 1
    for name, labels, sets in (("precision_micro", some, nothing), ("recall_micro", nothing, some)):
        score = LABEL_SET_SCORES[name]
        found = answers_of(labels, sets, sets - 0.5)
        assert score.value(found) == 0 and score.interval(found) == (0.0, 1.0), name
        assert score.interval(answers_of(sets, labels, sets - 0.5)) == wilson_interval(0.0, 30), "missed, or all wrong"


def test_the_average_precision_of_drawn_rows_is_scikit_learns_with_weights() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        labels, scores = random.random(30) < 0.2, random.integers(6, size=30).astype(float)  # with ties
        drawn = random.integers(3, size=(4, 30)).astype(float)
        for found, weights in zip(average_precision(labels, scores, drawn), drawn):
            if not (weights * labels).any():
                assert np.isnan(found)
                continue
            expected = sklearn_metrics.average_precision_score(labels, scores, sample_weight=weights)
            assert found == pytest.approx(expected)


def test_the_interval_of_many_rare_labels_takes_seconds() -> None:
    random, rows, count = np.random.default_rng(0), 2000, 400
    labels = random.random((rows, count)) < 0.003
    logits = (random.normal(size=(rows, count)) + 4 * labels).astype(np.float32)
    whole, started = answers_of(labels, labels, logits), time.process_time()
    low, high = LABEL_SET_SCORES["map_labels"].interval(whole)
    assert low < LABEL_SET_SCORES["map_labels"].value(whole) < high
    assert time.process_time() - started < 15, "half a minute and more if every row of every label is summed"
