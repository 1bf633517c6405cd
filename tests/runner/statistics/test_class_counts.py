"""Counts of classes in resamples, against those of a confusion matrix of the rows drawn."""

from __future__ import annotations

import numpy as np

from runner.statistics.class_counts import add_rows, counts_of, drawn_counts
from runner.statistics.confusion import confusion_of


def test_drawn_counts_are_those_of_the_rows_drawn() -> None:
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(3, size=(2, 40))  # of five classes, two of which never occur
    rows = rng.integers(40, size=(6, 40))
    draws = np.stack([np.bincount(one, minlength=40) for one in rows]).astype(float)
    for found, one in zip(drawn_counts(draws, labels, predictions, 5), rows):
        assert np.array_equal(found, counts_of(confusion_of(labels[one], predictions[one], 5)))


def test_rows_that_are_all_wrong_have_no_right_ones() -> None:
    (found,) = drawn_counts(np.ones((1, 2)), np.array([0, 1]), np.array([1, 0]), 2)
    assert found.tolist() == [[0, 0], [1, 1], [1, 1]]


def test_single_rows_are_added_to_the_draws_that_they_belong_to() -> None:
    counts = np.zeros((2, 3, 2))
    add_rows(counts, np.array([1, 1, 1]), np.array([0, 0, 1]), np.array([0, 1, 1]))
    assert not counts[0].any()
    assert np.array_equal(counts[1], counts_of(np.array([[1, 1], [0, 1]])))
