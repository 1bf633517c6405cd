"""Class weights in the loss (`data.class_weights`): inverse to class frequency, or to its square root."""

from __future__ import annotations

import numpy as np

MOST_POSITIVE = 20.0  # our choice; uncapped, a label in 1 of 1,000 rows would weigh 999 and its few rows would dominate


def class_weights(kind: str, labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return the weights that data.class_weights names, (C,) float32; their mean over the rows is 1, or nearly 1."""
    return {"balanced": balanced_weights, "sqrt": root_weights}[kind](labels, num_labels)


def root_weights(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return weights inversely proportional to the square root of a class's rows, (C,) float32.

    They lie between no weights and balanced ones. A class without training rows has weight 0.
    """
    counts = np.bincount(labels, minlength=num_labels)
    roots = np.sqrt(counts)
    return np.where(counts > 0, len(labels) / (roots.sum() * np.maximum(roots, 1)), 0.0).astype(np.float32)


def balanced_weights(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return balanced weights as scikit-learn defines them: rows / (classes x rows of the class), (C,) float32.

    A class without training rows has weight 0, since it cannot occur in the loss.
    """
    counts = np.bincount(labels, minlength=num_labels)
    weights = len(labels) / (num_labels * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0).astype(np.float32)


def positive_weights(weighting: str, labels: np.ndarray) -> np.ndarray:
    """Return the weight of positive labels in the multi-label loss, (C,) float32.

    Negative rows divided by positive rows, at most MOST_POSITIVE, so that both count equally in total; with `sqrt` the
    square root of that. A label of every row has weight 1: with 0 it would not be trained at all. labels: (rows, C).
    """
    counts = labels.sum(axis=0, dtype=np.float64)
    negative = len(labels) - counts
    weights = np.where(negative > 0, np.minimum(negative / np.maximum(counts, 1), MOST_POSITIVE), 1.0)
    return (np.sqrt(weights) if weighting == "sqrt" else weights).astype(np.float32)


def weight_of(labels: np.ndarray, weights: np.ndarray, known: np.ndarray | None = None) -> float:
    """Return the sum of the weights (C,) of labels: class ids (items,), or shares of each class (items, C) float32.

    known: (items,) bool, which of the items have a label and count, None for all.
    """
    chosen = labels if known is None else labels[known]
    return float((chosen @ weights if chosen.dtype == np.float32 else weights[chosen]).sum())
