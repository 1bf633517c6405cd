"""Scores of sets of labels (multi-label); the bootstrap resamples rows, never single labels of a row.

The answers have the columns `label` and `prediction`, 0 or 1 for each label of a row, row by row, and `logit`, whose
sigmoid is the probability of the label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from runner.statistics import tag_counts
from runner.statistics.answers import Answers
from runner.statistics.scores import OfCounts, Score

OfSums = Callable[[np.ndarray], np.ndarray]  # from counts (..., 3, C) of right, predicted and actual labels to (...)
Sets = Callable[[np.ndarray, np.ndarray], np.ndarray]  # from two matrices (rows, C) to (rows,)


def matrix(answers: Answers, column: str) -> np.ndarray:
    """Return a column of the answers as a matrix, (rows, C)."""
    found: np.ndarray = answers[column].reshape(len(answers), -1)
    return found


@dataclass(frozen=True)
class LabelCountScore(Score):
    """A score from how often each label is right, predicted and actual."""

    name: str
    of: OfSums

    def counts(self, answers: Answers) -> np.ndarray:
        """Return (rows, 3, C) float64: is the label right, predicted, actual?"""
        labels, predicted = matrix(answers, "label") > 0, matrix(answers, "prediction") > 0
        return np.stack([labels & predicted, predicted, labels], axis=1).astype(np.float64)

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each row was drawn."""
        parts = self.counts(answers)
        flat = parts.reshape(len(parts), -1)
        return lambda drawn: self.of((drawn @ flat).reshape(len(drawn), 3, -1))

    def scored_rows(self, answers: Answers) -> np.ndarray | None:
        """Return the rows on which this score depends, (N,) bool, as `is_scored` finds them in the counts."""
        return tag_counts.is_scored(self.of, self.counts(answers))


@dataclass(frozen=True)
class RowMeanScore(Score):
    """The mean of a number that is computed for each row separately."""

    name: str
    of_rows: Sets  # from labels and a second column
    column: str = "prediction"

    def contributions(self, answers: Answers) -> np.ndarray:
        """Return the number of each row, (rows,) float64."""
        return self.of_rows(matrix(answers, "label") > 0, matrix(answers, self.column)).astype(np.float64)

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each row was drawn."""
        values = self.contributions(answers)
        return lambda drawn: np.asarray(drawn @ values / drawn.sum(axis=1))


@dataclass(frozen=True)
class LabelAveragePrecision(Score):
    """Mean over the labels that occur of their average precision; needs no threshold."""

    name: str

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each row was drawn; labels that no drawn row has are left out."""
        labels, logits = matrix(answers, "label") > 0, matrix(answers, "logit")

        def mean(drawn: np.ndarray) -> np.ndarray:
            found = np.stack([average_precision(truth, one, drawn) for truth, one in zip(labels.T, logits.T)], axis=1)
            occurs = ~np.isnan(found)
            return np.asarray(np.where(occurs, found, 0).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1))

        return mean

    def scored_units(self, answers: Answers) -> int:
        """Return how many rows have a label."""
        return int(np.count_nonzero(matrix(answers, "label").any(axis=1)))


def average_precision(labels: np.ndarray, scores: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the average precision (R,) of one label, NaN if no drawn row has it.

    The sum over the distinct scores, from high to low, of precision times the gain in recall (as in scikit-learn).
    labels: (rows,) bool; scores: (rows,); drawn: (R, rows), how often each row counts.
    """
    order = np.argsort(-scores, kind="stable")
    positives = np.flatnonzero(labels[order])
    if not len(positives):
        return np.full(len(drawn), np.nan)
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # rows of equal scores enter together
    enters = ends[np.searchsorted(ends, positives)]  # recall rises only there, so that other scores need no sums
    steps, firsts = np.unique(enters, return_index=True)
    taken = np.add.reduceat(drawn[:, order[: steps[-1] + 1]], np.append(0, steps[:-1] + 1), axis=1).cumsum(axis=1)
    gains = np.add.reduceat(drawn[:, order[positives]], firsts, axis=1)
    right = gains.cumsum(axis=1)
    total = right[:, -1]
    found = (right / np.maximum(taken, 1) * gains).sum(axis=1)
    return np.asarray(np.where(total > 0, found / np.maximum(total, 1), np.nan))


def ranking_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the label ranking average precision of each row, (rows,); 1 for a row without labels, or with all.

    The mean over a row's labels of the share of true labels among those scored at least as high. labels, scores:
    (rows, C).
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked, sorted_labels = np.take_along_axis(scores, order, 1), np.take_along_axis(labels, order, 1)
    width = scores.shape[1]
    is_end = np.ones(ranked.shape, bool)
    is_end[:, :-1] = np.diff(ranked, axis=1) != 0
    ends = np.minimum.accumulate(np.where(is_end, np.arange(width), width)[:, ::-1], axis=1)[:, ::-1]  # of equal scores
    right = np.take_along_axis(np.cumsum(sorted_labels, axis=1), ends, 1)
    shares = np.where(sorted_labels, right / (ends + 1), 0).sum(axis=1)
    count = labels.sum(axis=1)
    is_trivial = (count == 0) | (count == width)
    return np.where(is_trivial, 1.0, shares / np.maximum(count, 1))


def set_f1(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the F1 of each row's set, (rows,); 1 if both sets are empty."""
    predicted = predicted > 0
    both = labels.sum(axis=1) + predicted.sum(axis=1)
    return np.where(both == 0, 1.0, 2 * (labels & predicted).sum(axis=1) / np.maximum(both, 1))


def is_whole_set(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return whether all labels of a row are right, (rows,)."""
    found: np.ndarray = (labels == (predicted > 0)).all(axis=1)
    return found


def wrong_share(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the share of wrong decisions of each row, (rows,)."""
    return np.asarray(np.mean(labels != (predicted > 0), axis=1))


def f1_of_each(sums: np.ndarray) -> np.ndarray:
    """Return the F1 (..., C) of each label, of counts (..., 3, C); 0/0 is 0."""
    right, predicted, actual = sums[..., 0, :], sums[..., 1, :], sums[..., 2, :]
    return np.asarray(2 * right / np.maximum(predicted + actual, 1))


def f1_over_all(sums: np.ndarray) -> np.ndarray:
    """Return the mean F1 of all labels; one that neither occurs nor is predicted has 0."""
    return np.asarray(f1_of_each(sums).mean(axis=-1))


def f1_weighted(sums: np.ndarray) -> np.ndarray:
    """Return the mean F1 of the labels, each weighted by the rows that have it."""
    actual = sums[..., 2, :]
    return np.asarray((f1_of_each(sums) * actual).sum(axis=-1) / np.maximum(actual.sum(axis=-1), 1))


LABEL_SET_SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        LabelCountScore("f1_micro", tag_counts.f1),
        LabelCountScore("f1_macro", tag_counts.f1_macro),
        RowMeanScore("subset_accuracy", is_whole_set),
        LabelCountScore("f1_macro_all", f1_over_all),
        LabelCountScore("f1_weighted", f1_weighted),
        LabelCountScore("precision_micro", tag_counts.precision),
        LabelCountScore("recall_micro", tag_counts.recall),
        RowMeanScore("f1_samples", set_f1),
        RowMeanScore("hamming_loss", wrong_share),
        RowMeanScore("lrap", ranking_precision, "logit"),
        LabelAveragePrecision("map_labels"),
    )
}
