"""Counts that the scores of classes are computed from: of each class the right, the predicted and the actual rows.

They take the place of a whole confusion matrix, whose resamples would not fit into memory for a thousand classes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RIGHT, PREDICTED, ACTUAL = range(3)
OfClasses = Callable[[np.ndarray], np.ndarray]  # from (R, 3, C) counts, as of `drawn_counts`, to (R,) scores


def drawn_counts(draws: np.ndarray, labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return (R, 3, C): right, predicted and actual rows of each class, from how often each row was drawn, (R, N).

    labels, predictions: (N,) class ids of the rows, or of groups of rows with equal answers.
    """
    is_right = labels == predictions
    right = _summed(draws[:, is_right], labels[is_right], classes)
    return np.stack([right, _summed(draws, predictions, classes), _summed(draws, labels, classes)], axis=1)


def add_rows(counts: np.ndarray, draws: np.ndarray, labels: np.ndarray, predictions: np.ndarray) -> None:
    """Add single rows (N,) to the counts (R, 3, C) of the draws (N,) that they belong to."""
    is_right, classes = labels == predictions, counts.shape[2]
    places = [(draws[is_right], RIGHT, labels[is_right]), (draws, PREDICTED, predictions), (draws, ACTUAL, labels)]
    cells = np.concatenate([(draw * 3 + count) * classes + label for draw, count, label in places])
    counts += np.bincount(cells, minlength=counts.size).reshape(counts.shape)


def counts_of(confusion: np.ndarray) -> np.ndarray:
    """Return (3, C): right, predicted and actual rows of each class of a confusion matrix (C, C), row = label."""
    return np.stack([np.diagonal(confusion), confusion.sum(axis=0), confusion.sum(axis=1)])


def _summed(draws: np.ndarray, groups: np.ndarray, size: int) -> np.ndarray:
    """Sum the draws (R, N) over each group, (R, size) float64; groups: (N,) ids."""
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    found = np.zeros((len(draws), size))
    if len(present):
        found[:, present] = np.add.reduceat(draws[:, order], starts, axis=1)
    return found
