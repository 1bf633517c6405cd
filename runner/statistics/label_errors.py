"""Finds rows whose label may be wrong, by confident learning: predictions of a model not trained on them contradict it.

    found = find_label_errors(labels, probabilities)     # found.rows: the least likely label first

If one label in twenty is wrong, about half of the first hundred rows are real errors, so the list needs a human check.
Source: Northcutt, Jiang, Chuang 2021, Confident learning, https://arxiv.org/abs/1911.00068, sections 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SLACK = 1e-6  # a probability this far below its threshold still reaches it, as in cleanlab


@dataclass(frozen=True)
class LabelErrors:
    """Findings among n rows of C classes."""

    thresholds: np.ndarray  # (C,) mean probability of each class over the rows labelled so; nan without such rows
    joint: np.ndarray  # (C, C) rows counted: row = label, column = the class that the model is sure of
    confident: np.ndarray  # (n,) that class of each row, -1 if there is none
    # (flagged,) rows off the diagonal whose own label is not the likeliest, by ascending probability of that label
    rows: np.ndarray


def find_label_errors(labels: np.ndarray, probabilities: np.ndarray) -> LabelErrors:
    """Count each row by its label and the class that the model is sure of; rows where these differ are flagged.

    As in cleanlab, a row is not flagged if its label is also the model's prediction: where one class has most rows, its
    threshold is so high, and those of the others so low, that the model may count as sure of another class.

    labels: (n,) class ids. probabilities: (n, C) of a model that was not trained on these rows. A class qualifies if
    its probability is at least its mean over the rows with that label; the model is sure of the likeliest such class.
    """
    labels, p = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    size = p.shape[1]
    support = np.bincount(labels, minlength=size)
    own = p[np.arange(len(labels)), labels]
    sums = np.bincount(labels, own, size)
    thresholds = np.divide(sums, support, out=np.full(size, np.nan), where=support > 0)
    reaches = p >= np.where(support > 0, thresholds, np.inf) - SLACK
    confident = np.where(reaches.any(axis=1), np.argmax(np.where(reaches, p, -1.0), axis=1), -1)
    counted = confident >= 0
    joint = np.bincount(labels[counted] * size + confident[counted], minlength=size * size).reshape(size, size)
    flagged = np.flatnonzero(counted & (confident != labels) & (p.max(axis=1, initial=0.0) > own))
    return LabelErrors(thresholds, joint, confident, flagged[np.argsort(own[flagged], kind="stable")])
