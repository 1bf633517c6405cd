"""The area under the ROC curve: how well a number separates the rows of class 0 from all others, over all thresholds.

It is the share of pairs of a class-0 row and another row in which the other row has the higher number; ties count half
(Mann and Whitney 1947). The answers have the columns `label` and `margin`, the log odds that a row is not of class 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runner.statistics.answers import Answers
from runner.statistics.scores import OfCounts, Score

CHANCE = 0.5  # also the score if only one side has rows


@dataclass(frozen=True)
class AurocFirst(Score):
    """The area under the curve of the first class against all others; with two classes this is the usual AUROC."""

    name: str = "auroc_first"

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each unit was drawn."""
        margins = answers["margin"]
        order = np.argsort(margins, kind="stable")
        is_other = answers["label"][order] != 0
        starts = np.flatnonzero(np.diff(margins[order], prepend=-np.inf) != 0)  # of rows with equal margins

        def areas(counts: np.ndarray) -> np.ndarray:
            drawn = counts[:, order]
            others, first = (np.add.reduceat(drawn * side, starts, axis=1) for side in (is_other, ~is_other))
            below = first.cumsum(axis=1) - first / 2
            pairs = others.sum(axis=1) * first.sum(axis=1)
            return np.where(pairs > 0, (others * below).sum(axis=1) / np.maximum(pairs, 1), CHANCE)

        return areas

    def scored_units(self, answers: Answers) -> int:
        """Return how many pairs of a class-0 row and another row have no row in common: they are independent."""
        first = int(np.count_nonzero(answers["label"] == 0))
        return min(first, len(answers) - first)


def margins_of(logits: np.ndarray) -> np.ndarray:
    """Return the log odds (rows,) float64 that a row is not of the first class, from logits (rows, C)."""
    values = np.asarray(logits, np.float64)
    others, highest = values[:, 1:], values[:, 1:].max(axis=1, initial=-np.inf)
    return np.asarray(np.log(np.exp(others - highest[:, None]).sum(axis=1)) + highest - values[:, 0])
