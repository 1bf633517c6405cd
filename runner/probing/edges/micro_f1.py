"""Micro F1 of the labels of edges, with its interval over sentences and seeds."""

from __future__ import annotations

import numpy as np

from runner.statistics.intervals import spanning_seeds, wilson_interval

Z = 1.96  # standard errors of a 95 % interval


def f1_by_sentence(answers: np.ndarray, labels: np.ndarray, sentences: np.ndarray) -> np.ndarray:
    """Return a number for each sentence whose mean is the micro F1, (..., sentences).

    answers: (..., n, C) bool; labels: (n, C), 1 for a label; sentences: (n,) the sentence of each edge. F1 is a ratio
    of sums over sentences; the numbers are its linear part (the delta method), so that their variance over sentences,
    over their count, is that of the F1, and resampling them is resampling sentences.
    """
    is_gold = labels > 0
    _, places = np.unique(sentences, return_inverse=True)
    hits = 2 * (answers & is_gold).sum(-1)
    both = answers.sum(-1) + is_gold.sum(-1)
    count = int(places.max()) + 1
    flat = zip(hits.reshape(-1, len(places)), both.reshape(-1, len(places)))
    sums = np.array([[np.bincount(places, one, count) for one in pair] for pair in flat])  # (..., 2, sentences)
    total = sums.sum(-1, keepdims=True)
    score = total[:, 0] / np.maximum(total[:, 1], 1)
    found = score + (sums[:, 0] - score * sums[:, 1]) * count / np.maximum(total[:, 1], 1)
    return found.reshape(*answers.shape[:-2], count)


def f1_interval(values: np.ndarray) -> tuple[float, float]:
    """Return a 95 % interval, within 0..1, that covers both the one over sentences and the one over seeds.

    values: (seeds, sentences).

    If all labels are right, or none is, sentences do not vary, however few they are; then their interval is Wilson's.
    """
    mean, of_seeds = float(values.mean()), values.mean(0)
    error = float(of_seeds.std(ddof=1)) / len(of_seeds) ** 0.5 if len(of_seeds) > 1 else 1.0
    low, high = max(0.0, mean - Z * error), min(1.0, mean + Z * error)
    if mean in (0.0, 1.0):
        low, high = wilson_interval(mean, len(of_seeds))
    return spanning_seeds((low, high), values.mean(1).tolist())
