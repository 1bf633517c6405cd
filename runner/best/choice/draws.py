"""Candidates' scores on the selection rows and on bootstrap samples of them, signed so that higher is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from runner.best.types import Scored
from runner.statistics.intervals import RESAMPLES, resample_rows
from runner.statistics.score_table import SCORE_TABLE
from runner.statistics.scores import OfCounts, Score


def sign_of(score: Score) -> float:
    """Return 1 for a score that is better when higher, -1 for an error."""
    return -1.0 if score.name in SCORE_TABLE and SCORE_TABLE[score.name].direction == "lower" else 1.0


class Draws:
    """Scores of m candidates on n rows. All are multiplied by `sign_of`, so that higher is better."""

    def __init__(self, candidates: Sequence[Scored], score: Score, resamples: int = RESAMPLES, seed: int = 0) -> None:
        """resamples, seed: of the bootstrap over rows; all candidates answer the same resampled rows."""
        self.candidates, self.score, self.resamples, self.seed = candidates, score, resamples, seed
        self.sign, self.rows = sign_of(score), len(candidates[0].answers[0])
        self.parts = self._contributions()
        self.scores = self._of_counts()(np.ones((1, self.rows)))[0]  # (m,)

    def _contributions(self) -> np.ndarray | None:
        """Return each row's contribution to each candidate's score, (n, m); None for scores that are not means over
        rows.
        """
        found = [[self.score.contributions(answers) for answers in one.answers] for one in self.candidates]
        means = [
            np.mean([part for part in parts if part is not None], axis=0) for parts in found if parts[0] is not None
        ]
        return self.sign * np.stack(means, axis=1) if len(means) == len(found) else None

    @cached_property
    def resampled(self) -> tuple[np.ndarray, np.ndarray]:
        """Scores (R, m) on as many rows, drawn with replacement, and on the rows that were not drawn."""
        of_counts = self._of_counts()

        def both(counts: np.ndarray) -> np.ndarray:
            return np.stack([of_counts(counts), of_counts((counts == 0).astype(np.float64))], axis=1)

        found = resample_rows(self.rows, both, resamples=self.resamples, seed=self.seed)
        return found[:, 0], found[:, 1]

    def _of_counts(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return a function from how often each row was drawn, (R, n), to the scores of those draws, (R, m)."""
        if (parts := self.parts) is not None:
            return lambda counts: (counts @ parts) / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
        scorers: list[list[OfCounts]] = [[self.score.over(found) for found in one.answers] for one in self.candidates]
        return lambda counts: (
            self.sign
            * np.stack([np.mean([scorer(counts) for scorer in repeats], axis=0) for repeats in scorers], axis=1)
        )

    @cached_property
    def spreads(self) -> np.ndarray:
        """The standard errors (m, m) of the differences between candidates on the same rows.

        In closed form for means: of the differences z on n rows, sqrt(mean z^2 - (mean z)^2) / sqrt(n). Else from the
        bootstrap over rows.
        """
        if self.parts is None:
            drawn = self.resampled[0]
            return np.asarray(np.std(drawn[:, :, None] - drawn[:, None, :], axis=0, ddof=1))
        means = self.parts.mean(axis=0)
        products = self.parts.T @ self.parts / self.rows
        squares = np.diagonal(products)
        variances = squares[:, None] + squares[None, :] - 2 * products - (means[:, None] - means[None, :]) ** 2
        return np.sqrt(np.maximum(variances, 0.0) / self.rows)
