"""A control task, whose labels can only be memorised, after Hewitt and Liang (2019, arXiv 1909.03368).

Theirs gives each word type a random label. Ours gives a sentence the random label of its first token, so a probe that
is good at it has memorised tokens; selectivity is the accuracy of the task less that of its control.
"""

from __future__ import annotations

import numpy as np

from data.splits import TokenSplit


def first_tokens(split: TokenSplit, special: int) -> np.ndarray:
    """Return the first token of each row after `special` special ones, (rows,) int64; the last one of an empty text."""
    places = np.minimum(split.offsets[:-1] + special, split.offsets[1:] - 1)
    return np.asarray(split.tokens)[places].astype(np.int64)


def control_labels(tokens: np.ndarray, labels: np.ndarray, seed: int) -> dict[int, int]:
    """Return a random label for each token type, drawn with the frequencies of the task's labels (rows,)."""
    generator = np.random.default_rng(seed)
    types = np.unique(tokens)
    return dict(zip(types.tolist(), generator.choice(labels, len(types)).tolist()))


def label_by_token(tokens: np.ndarray, labels: dict[int, int]) -> np.ndarray:
    """Return the control labels of rows by their first tokens, (rows,) int64."""
    return np.array([labels[token] for token in tokens.tolist()], np.int64)
