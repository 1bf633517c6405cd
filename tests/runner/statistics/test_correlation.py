"""Scores of numbers, drawn by rows; tests/runner/tasks/test_regression.py has values."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.answers import Answers, is_constant
from runner.statistics.correlation import NUMBER_SCORES, outputs_of


def answers(predictions: np.ndarray, labels: np.ndarray) -> Answers:
    return Answers({"label": labels, "prediction": predictions})


@pytest.mark.parametrize("name", NUMBER_SCORES)
def test_counts_of_drawn_rows_give_the_score_of_those_rows(name: str) -> None:
    random, score = np.random.default_rng(0), NUMBER_SCORES[name]
    labels = random.integers(6, size=80) / 2
    predictions = (labels + random.normal(size=80)).round(1)
    rows = random.integers(80, size=80)
    (found,) = score.over(answers(predictions, labels))(np.bincount(rows, minlength=80)[None].astype(float))
    assert found == pytest.approx(score.value(answers(predictions[rows], labels[rows])))


def test_predictions_that_differ_by_rounding_are_constant_wherever_they_are_scored() -> None:
    labels = np.linspace(1.0, 5.0, 40)
    rounded = answers((3.0 + 2e-7 * labels).astype(np.float32), labels)
    assert is_constant(outputs_of(rounded)) and NUMBER_SCORES["spearman"].value(rounded) == 0.0
    assert NUMBER_SCORES["spearman"].interval(rounded) == (0.0, 0.0)
    alike = answers(labels.astype(np.float32), np.full(40, 3.0))
    assert NUMBER_SCORES["spearman"].value(alike) == 0 and NUMBER_SCORES["spearman"].interval(alike) == (-1.0, 1.0)
    assert NUMBER_SCORES["spearman"].compare([(rounded, rounded)])[1] == 1.0


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_draws_of_equal_rows_alone_have_no_correlation(name: str) -> None:
    """The spread of equal numbers is a rounding error, and a ratio of two of these may be anything."""
    for seed in range(40):
        random = np.random.default_rng(seed)
        found = answers(random.normal(size=3).astype(np.float32), random.normal(size=3) * 100)
        assert NUMBER_SCORES[name].over(found)(3.0 * np.eye(3)).tolist() == [0.0] * 3
        low, high = NUMBER_SCORES[name].interval(found)
        assert -1 - 1e-9 <= low <= high <= 1 + 1e-9
