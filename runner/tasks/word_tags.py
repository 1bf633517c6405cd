"""The baseline of tagging: each word gets the tag that it has most often in the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.splits import TokenSplit


def most_frequent_tags(train: TokenSplit, split: TokenSplit, classes: Sequence[int]) -> np.ndarray:
    """Return the tags of the words of `split`, (words, labels of a word) int64: the first tag for unseen words.

    classes: number of tags of each label. Words are compared as they are written, whatever the tokenizer makes of
    them; of equally frequent tags the one that occurs first in `train` counts.
    """
    seen, asked = train.labels.words, split.labels.words
    assert seen is not None, "tags are of words"
    assert asked is not None
    known, number = np.unique(np.asarray(seen), return_inverse=True)
    place = np.minimum(np.searchsorted(known, np.asarray(asked)), len(known) - 1)
    is_known = known[place] == asked
    labels = np.asarray(train.labels.values, np.int64).reshape(len(seen), -1)
    found = np.zeros((len(asked), len(classes)), np.int64)
    for column, size in enumerate(classes):
        found[is_known, column] = _most_frequent(number * size + labels[:, column], size)[place[is_known]]
    return found


def _most_frequent(codes: np.ndarray, size: int) -> np.ndarray:
    """Return the most frequent tag of each word, (words,); codes: of every occurrence, word x size + tag."""
    pairs, first, counts = np.unique(codes, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts, pairs // size))
    words = pairs[order] // size
    return np.asarray((pairs[order] % size)[np.flatnonzero(np.diff(words, prepend=-1))])
