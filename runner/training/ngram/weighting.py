"""The weighting of n-grams before fitting: a scale for each column and class.

The L2 penalty applies to the fitted weight, so the scale acts as a prior: an n-gram with a small scale stays near zero.
The saved weight is weight x scale, so that prediction is just a sum over the n-grams of a text.
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

    presence: (rows, F) of the training rows; members: (problems, rows), which rows have the class, or its shares.
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

    ln((p / |p|) / (q / |q|)), where p is 1 + the rows of the class that have the n-gram, q is 1 + the other such rows.
    Source: Wang & Manning 2012, ACL P12-2018, equation 4.
    """
    inside = SMOOTHING + np.asarray((presence.T @ members.T.astype(np.float64)).T)
    total = np.diff(presence.indptr)
    outside = 2 * SMOOTHING + total - inside
    ratio = (inside / inside.sum(1, keepdims=True)) / (outside / outside.sum(1, keepdims=True))
    found: np.ndarray = np.log(ratio)
    return found
