"""Scores of tagged words as sums over sentences: entities that match exactly, or words of each class.

For each sentence and each kind (a type of entity, a class of words) three counts: right, predicted, actual. Their sums
over any draw of sentences give precision, recall and F1, so a bootstrap never reads the tags again. 0/0 is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.targets.tag_schemes import entity_types, find_entities

RIGHT, PREDICTED, ACTUAL = range(3)


def entity_counts(
    labels: np.ndarray, predicted: np.ndarray, offsets: np.ndarray, names: Sequence[str], *, strict: bool = False
) -> np.ndarray:
    """Return (N, 3, T): of each sentence and type the entities predicted rightly, predicted, and actual.

    labels, predicted: (words,) ids into `names`; offsets: (N + 1,). An entity is right if type, first and last word
    are. strict: only sequences that are legal in IOB2 count as entities, on both sides.
    """
    actual = find_entities(labels, offsets, names, strict=strict)
    found = find_entities(predicted, offsets, names, strict=strict)
    ends, kinds = np.full(len(labels), -1), np.full(len(labels), -1)
    ends[actual.first], kinds[actual.first] = actual.last, actual.kind
    is_right = (ends[found.first] == found.last) & (kinds[found.first] == found.kind)
    size = len(entity_types(names))
    groups = (found.first[is_right], found.kind[is_right]), (found.first, found.kind), (actual.first, actual.kind)
    return np.stack([_per_row(places, kind, offsets, size) for places, kind in groups], axis=1)


def class_counts(labels: np.ndarray, predicted: np.ndarray, offsets: np.ndarray, classes: int) -> np.ndarray:
    """Return (N, 3, C): of each sentence and class the words predicted rightly, predicted, and actual."""
    right = np.flatnonzero(labels == predicted)
    every = np.arange(len(labels))
    groups = (right, labels[right]), (every, predicted), (every, labels)
    return np.stack([_per_row(places, kind, offsets, classes) for places, kind in groups], axis=1)


def _per_row(places: np.ndarray, kind: np.ndarray, offsets: np.ndarray, size: int) -> np.ndarray:
    """Count the kinds (P,) at places (P,) in each row, (N, size)."""
    rows = np.searchsorted(offsets, places, side="right") - 1
    count = len(offsets) - 1
    return np.bincount(rows * size + kind, minlength=count * size).reshape(count, size)


def precision(sums: np.ndarray) -> np.ndarray:
    """Return the micro precision (...) of sums (..., 3, T)."""
    return _ratio(sums[..., RIGHT, :].sum(-1), sums[..., PREDICTED, :].sum(-1))


def recall(sums: np.ndarray) -> np.ndarray:
    """Return the micro recall (...) of sums (..., 3, T)."""
    return _ratio(sums[..., RIGHT, :].sum(-1), sums[..., ACTUAL, :].sum(-1))


def f1(sums: np.ndarray) -> np.ndarray:
    """Return the micro F1 (...) of sums (..., 3, T)."""
    return _ratio(2 * sums[..., RIGHT, :].sum(-1), sums[..., PREDICTED, :].sum(-1) + sums[..., ACTUAL, :].sum(-1))


def f1_macro(sums: np.ndarray) -> np.ndarray:
    """Return the mean F1 (...) of the kinds that are predicted or actual, of sums (..., 3, T)."""
    both = sums[..., PREDICTED, :] + sums[..., ACTUAL, :]
    scores = _ratio(2 * sums[..., RIGHT, :], both)
    return _ratio(scores.sum(-1), (both > 0).sum(-1))


def per_kind(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Return precision, recall and F1 (T,) of each kind, of sums (3, T)."""
    one = sums.T[:, :, None]  # each kind alone
    return {"precision": precision(one), "recall": recall(one), "f1": f1(one)}


def _ratio(some: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(some / np.where(whole > 0, whole, 1))
