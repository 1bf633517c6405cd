"""Scores of tagged words from sums over sentences: entities that match exactly, or words of each class.

Each sentence and group (a type of entity, a class of words) has three counts: right, predicted, actual. Their sums over
any resample of sentences give precision, recall and F1, so a bootstrap reads the tags only once. 0/0 is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from data.targets.tag_schemes import entity_types, find_entities
from runner.statistics.class_counts import ACTUAL, PREDICTED, RIGHT

OfSums = Callable[[np.ndarray], np.ndarray]  # from counts (..., 3, T) to scores (...)


def entity_counts(
    labels: np.ndarray, predicted: np.ndarray, offsets: np.ndarray, names: Sequence[str], *, strict: bool = False
) -> np.ndarray:
    """Return (N, 3, T): for each sentence and type the numbers of right, predicted and actual entities.

    labels, predicted: (words,) ids into `names`; offsets: (N + 1,). An entity is right if its type, first and last word
    are. strict: only legal IOB2 sequences count as entities, in labels and predictions.
    """
    actual = find_entities(labels, offsets, names, strict=strict)
    found = find_entities(predicted, offsets, names, strict=strict)
    ends, types = np.full(len(labels), -1), np.full(len(labels), -1)
    ends[actual.first], types[actual.first] = actual.last, actual.entity_type
    is_right = (ends[found.first] == found.last) & (types[found.first] == found.entity_type)
    size = len(entity_types(names))
    right = found.first[is_right], found.entity_type[is_right]
    counted = right, (found.first, found.entity_type), (actual.first, actual.entity_type)
    return np.stack([_per_row(places, group, offsets, size) for places, group in counted], axis=1)


def class_counts(labels: np.ndarray, predicted: np.ndarray, offsets: np.ndarray, classes: int) -> np.ndarray:
    """Return (N, 3, C): for each sentence and class the numbers of right, predicted and actual words."""
    right = np.flatnonzero(labels == predicted)
    every = np.arange(len(labels))
    counted = (right, labels[right]), (every, predicted), (every, labels)
    return np.stack([_per_row(places, group, offsets, classes) for places, group in counted], axis=1)


def _per_row(places: np.ndarray, groups: np.ndarray, offsets: np.ndarray, size: int) -> np.ndarray:
    """Count the groups (P,) at places (P,) in each row, (N, size)."""
    rows = np.searchsorted(offsets, places, side="right") - 1
    count = len(offsets) - 1
    return np.bincount(rows * size + groups, minlength=count * size).reshape(count, size)


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
    """Return the mean F1 (...) of the types that are predicted or actual, of sums (..., 3, T)."""
    both = sums[..., PREDICTED, :] + sums[..., ACTUAL, :]
    scores = _ratio(2 * sums[..., RIGHT, :], both)
    return _ratio(scores.sum(-1), (both > 0).sum(-1))


def is_scored(of: OfSums, counts: np.ndarray) -> np.ndarray:
    """Return the rows on which a score depends, (N,) bool; counts: (N, 3, T).

    of: the score. Precision depends on rows with a prediction, recall on rows with a label, other scores on both.
    """
    own: dict[OfSums, list[int]] = {precision: [PREDICTED], recall: [ACTUAL]}
    return np.asarray(counts[:, own.get(of, [PREDICTED, ACTUAL])].any(axis=(1, 2)))


def per_kind(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Return precision, recall and F1 (T,) of each group, from sums (3, T)."""
    one = sums.T[:, :, None]  # each group alone
    return {"precision": precision(one), "recall": recall(one), "f1": f1(one)}


def _ratio(some: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(some / np.where(whole > 0, whole, 1))
