"""How much an n-gram counts before anything is fitted: the scale of its column, one a class.

A fitted weight costs its square (L2), so a scale is a prior: an n-gram with a small one is held near zero. What is
shipped is weight x scale, so that the model only sums over the n-grams that a text has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

NB, PRESENCE, TFIDF = "nb", "presence", "tfidf"
SMOOTHING = 1.0  # Wang & Manning 2012


def column_scales(weighting: str, presence: csc_matrix, members: np.ndarray) -> np.ndarray:
    """Return the scales of the columns for each binary problem, (problems, F).

    presence: (rows, F) of the training rows; members: (problems, rows) bool, the rows of the class against all others.
    """
    if weighting == NB:
        return log_count_ratios(presence, members)
    rows, columns = presence.shape
    if weighting == TFIDF:
        df = np.diff(presence.indptr)
        return np.tile(np.log(rows / np.maximum(df, 1)) + 1, (len(members), 1))
    return np.ones((len(members), columns))


def log_count_ratios(presence: csc_matrix, members: np.ndarray) -> np.ndarray:
    """Return the naive-Bayes log-count ratio of each n-gram, (problems, F).

    ln((p / |p|) / (q / |q|)), where p counts the rows of the class that have the n-gram, q the other rows, each plus 1.
    Source: Wang & Manning 2012, ACL P12-2018, equation 4.
    """
    inside = SMOOTHING + np.asarray((presence.T @ members.T.astype(np.float64)).T)
    total = np.diff(presence.indptr)
    outside = 2 * SMOOTHING + total - inside
    ratio = (inside / inside.sum(1, keepdims=True)) / (outside / outside.sum(1, keepdims=True))
    found: np.ndarray = np.log(ratio)
    return found
