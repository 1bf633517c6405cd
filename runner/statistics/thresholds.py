"""Thresholds of labels: the probability from which on a label belongs to the set of a row.

They are fitted to the split that selects, never to one that is reported. The candidates are the distinct probabilities;
the one with the highest F1 is taken, of equal ones the highest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

HALF = 0.5
DIGITS = 6  # behind the point, rounded down: the row that a threshold was taken from stays above it


def best_threshold(probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the threshold with the highest F1 of decisions (N,); None where no label is true."""
    labels = labels > 0
    if not labels.any():
        return None
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)  # equal ones enter together
    right = np.cumsum(labels[order])[ends]
    f1 = 2 * right / (ends + 1 + labels.sum())
    return float(probabilities[order][ends[f1.argmax()]])  # the first of equals is the highest


def threshold_of_each(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return the best threshold of each label, (C,), and the labels that keep HALF because no row has them.

    probabilities, labels: (rows, C).
    """
    found = [best_threshold(one, truth) for one, truth in zip(probabilities.T, labels.T)]
    kept = [place for place, threshold in enumerate(found) if threshold is None]
    return np.array([HALF if threshold is None else rounded(threshold) for threshold in found]), kept


def one_threshold(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the threshold with the highest micro F1, the same for all labels, (C,); HALF where no row has any."""
    found = best_threshold(probabilities.ravel(), labels.ravel())
    return np.full(labels.shape[1], HALF if found is None else rounded(found))


def rounded(threshold: float) -> float:
    """Return a threshold with DIGITS digits, never above the given one."""
    found = round(threshold, DIGITS)
    return found if found <= threshold else round(found - 10.0**-DIGITS, DIGITS)


def sets_of(
    probabilities: np.ndarray, thresholds: np.ndarray | Sequence[float], *, at_least_one: bool = False
) -> np.ndarray:
    """Return which labels each row has, (rows, C) bool. at_least_one: the likeliest, where there is none."""
    found = probabilities >= np.asarray(thresholds)
    if at_least_one:
        empty = ~found.any(axis=1)
        found[empty, probabilities[empty].argmax(axis=1)] = True
    return np.asarray(found)
