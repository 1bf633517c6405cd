"""Weights of the classes in the loss (`data.class_weights`): by their rows, or by the root of these."""

from __future__ import annotations

import numpy as np

MOST_POSITIVE = 20.0  # ours: a label of one row in a thousand would weigh 999, and its few rows decide each step


def class_weights(kind: str, labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return the weights that data.class_weights names, (C,) float32; over the rows their mean is 1, or nearly so."""
    return {"balanced": balanced_weights, "sqrt": root_weights}[kind](labels, num_labels)


def root_weights(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return weights that fall with the root of a class's rows, (C,) float32: halfway from none to balanced.

    A class without training rows weighs 0.
    """
    counts = np.bincount(labels, minlength=num_labels)
    roots = np.sqrt(counts)
    return np.where(counts > 0, len(labels) / (roots.sum() * np.maximum(roots, 1)), 0.0).astype(np.float32)


def balanced_weights(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return balanced weights as scikit-learn defines them: rows / (classes x rows of the class), (C,) float32.

    A class without training rows weighs 0, since it cannot occur in the loss.
    """
    counts = np.bincount(labels, minlength=num_labels)
    weights = len(labels) / (num_labels * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0).astype(np.float32)


def positive_weights(weighting: str, labels: np.ndarray) -> np.ndarray:
    """Return how much a true label weighs in the loss of sets of labels, (C,) float32.

    Rows without it over rows with it, at most MOST_POSITIVE, so that both kinds weigh the same; with `sqrt` the root of
    that. labels: (rows, C).
    """
    counts = labels.sum(axis=0, dtype=np.float64)
    weights = np.minimum((len(labels) - counts) / np.maximum(counts, 1), MOST_POSITIVE)
    return (np.sqrt(weights) if weighting == "sqrt" else weights).astype(np.float32)
