"""Weights of the classes in the loss (`data.class_weights=balanced`)."""

from __future__ import annotations

import numpy as np

MOST_POSITIVE = 20.0  # ours: a label of one row in a thousand would weigh 999, and its few rows decide each step


def balanced_weights(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return balanced weights as scikit-learn defines them: rows / (classes x rows of the class), (C,) float32.

    A class without training rows weighs 0, since it cannot occur in the loss.
    """
    counts = np.bincount(labels, minlength=num_labels)
    weights = len(labels) / (num_labels * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0).astype(np.float32)


def positive_weights(labels: np.ndarray) -> np.ndarray:
    """Return how much a true label weighs in the loss of sets of labels, (C,) float32.

    Rows without it over rows with it, at most MOST_POSITIVE, so that both kinds weigh the same. labels: (rows, C).
    """
    counts = labels.sum(axis=0, dtype=np.float64)
    return np.minimum((len(labels) - counts) / np.maximum(counts, 1), MOST_POSITIVE).astype(np.float32)
