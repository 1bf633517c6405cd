"""The best answer of a window from the logits of its tokens, and their probabilities; needs only NumPy.

A bundle of a model of spans has a copy of this file, so that it answers as the model does.
"""

from __future__ import annotations

import numpy as np

BEST = 20  # starts and ends of a window that are combined, as in google-research/bert


def best_span(starts: np.ndarray, ends: np.ndarray, max_answer: int) -> tuple[int, int, float]:
    """Return first token, last token and score of a window's best answer, from the logits (n,) of its context tokens.

    Only the BEST starts and ends are combined, or all if none of these can be.
    """
    for most in (BEST, len(starts)):
        first, last = (np.sort(np.argsort(-values, kind="stable")[:most]) for values in (starts, ends))
        length = last[None] - first[:, None] + 1
        sums = np.where((length >= 1) & (length <= max_answer), starts[first][:, None] + ends[last][None], -np.inf)
        row, column = divmod(int(sums.argmax()), len(last))
        if np.isfinite(sums[row, column]):
            break
    return int(first[row]), int(last[column]), float(sums[row, column])


def window_probabilities(kept: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the probability of each token, (tokens, 2), to be the first and the last: softmax within its window."""
    counts, starts = np.diff(offsets), offsets[:-1]
    logits = kept.astype(np.float64)
    shifted = np.exp(logits - np.repeat(np.maximum.reduceat(logits, starts), counts, axis=0))
    found: np.ndarray = shifted / np.repeat(np.add.reduceat(shifted, starts), counts, axis=0)
    return found
