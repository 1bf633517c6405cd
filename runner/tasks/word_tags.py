"""The floor of tagging: each word gets the tag that it has most often in the training rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from data.inputs.words import Words

if TYPE_CHECKING:
    from data.splits import TokenSplit


def most_frequent_tags(train: TokenSplit, split: TokenSplit, classes: Sequence[int]) -> np.ndarray:
    """Return the tags of the words of `split`, (words, labels of a word) int64: the first tag for unseen words.

    classes: number of tags of each label. A word is its tokens; of equally frequent tags the first one.
    """
    numbers: dict[bytes, int] = {}
    seen = np.array([numbers.setdefault(word, len(numbers)) for word in _words(train)], np.int64)
    asked = np.array([numbers.get(word, len(numbers)) for word in _words(split)], np.int64)
    labels = np.asarray(train.labels.values, np.int64).reshape(len(seen), -1)
    found = np.zeros((len(asked), len(classes)), np.int64)
    for column, size in enumerate(classes):
        counts = np.bincount(seen * size + labels[:, column], minlength=(len(numbers) + 1) * size)
        found[:, column] = counts.reshape(-1, size)[: len(numbers) + 1].argmax(1)[asked]
    return found


def _words(split: TokenSplit) -> Iterator[bytes]:
    """Yield the tokens of each word as bytes; none for a word without a token."""
    labels, tokens = split.labels, np.asarray(split.tokens)
    assert isinstance(split.input, Words), "tags are of words"
    assert labels.offsets is not None
    assert labels.places is not None
    after = split.input.ending
    for row, (begin, end) in enumerate(zip(labels.offsets, labels.offsets[1:])):
        first, last = int(split.offsets[row]), int(split.offsets[row + 1]) - after
        places = np.asarray(labels.places[begin:end])
        placed = places[places >= 0] + first
        stops = iter([*placed[1:].tolist(), last])
        for place in places.tolist():
            yield tokens[first + place : next(stops)].tobytes() if place >= 0 else b""
