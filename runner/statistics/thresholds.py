"""Thresholds of labels: the smallest probability at which a label is predicted for a row.

They are fitted on the selection split, never on a reported one. The candidates are the distinct probabilities; the one
with the highest F1 is taken, and among equals the highest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

HALF = 0.5
DIGITS = 6  # decimals, rounded down: the row that a threshold was taken from still reaches it
SIGNIFICANT = 3  # digits of a threshold below 0.0001; at 0, every row would get the label


def best_threshold(probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the threshold with the highest F1 over decisions (N,); None if no label is true."""
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
    """Return the threshold with the highest micro F1, the same for all labels, (C,); HALF if no row has a label."""
    found = best_threshold(probabilities.ravel(), labels.ravel())
    return np.full(labels.shape[1], HALF if found is None else rounded(found))


def rounded(threshold: float) -> float:
    """Return a threshold with DIGITS decimals, a small one with SIGNIFICANT digits; never above the given one."""
    if threshold <= 0:
        return threshold
    digits = max(DIGITS, SIGNIFICANT - 1 - math.floor(math.log10(threshold)))
    found = round(threshold, digits)
    return found if found <= threshold else round(found - 10.0**-digits, digits)


def sets_of(
    probabilities: np.ndarray, thresholds: np.ndarray | Sequence[float], *, at_least_one: bool = False
) -> np.ndarray:
    """Return which labels are predicted, (rows, C) bool. at_least_one: an empty row gets its likeliest label."""
    found = probabilities >= np.asarray(thresholds)
    if at_least_one:
        empty = ~found.any(axis=1)
        found[empty, probabilities[empty].argmax(axis=1)] = True
    return np.asarray(found)
