"""Weights of the classes in the loss (`data.class_weights=balanced`)."""

from __future__ import annotations

import numpy as np


def balanced_weights(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Return balanced weights as scikit-learn defines them: rows / (classes x rows of the class), (C,) float32.

    A class without training rows weighs 0, since it cannot occur in the loss.
    """
    counts = np.bincount(labels, minlength=num_labels)
    weights = len(labels) / (num_labels * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0).astype(np.float32)
