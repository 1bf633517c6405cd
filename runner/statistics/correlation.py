"""Regression scores: mean squared error, and the Pearson and Spearman correlation of predictions with labels.

Predictions that differ only by float32 rounding count as constant, since their order is arbitrary. A correlation is 0
where either side is constant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from runner.statistics.answers import Answers, is_constant
from runner.statistics.scores import OfCounts, Score

ROUNDING = 8 * float(np.finfo(np.float32).eps)  # of the largest output: what differs between batches of other shapes

CONSTANT = 1e-12  # of the sum of squares: the rounding error of the spread of equal values


@dataclass(frozen=True)
class RowScore(Score):
    """A score of weighted rows; the answers have the columns `label` and `prediction`, numbers."""

    name: str
    of_rows: Callable[[np.ndarray, np.ndarray], OfCounts]  # from outputs and targets (N,), float64

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each row was drawn."""
        return self.of_rows(outputs_of(answers), answers["label"].astype(np.float64))

    def contributions(self, answers: Answers) -> np.ndarray | None:
        """Return the squared errors, for their mean."""
        return (outputs_of(answers) - answers["label"]) ** 2 if self.name == "mse" else None

    def value(self, answers: Answers) -> float:
        """Return the score."""
        outputs, targets = outputs_of(answers), answers["label"].astype(np.float64)
        if self.name == "mse":
            from sklearn.metrics import mean_squared_error

            return float(mean_squared_error(targets, outputs))
        if is_constant(outputs) or is_constant(targets):
            return 0.0  # scipy gives NaN; `constant_predictions` says that this 0 stands for "undefined"
        from scipy import stats

        return float((stats.pearsonr if self.name == "pearson" else stats.spearmanr)(outputs, targets).statistic)


def outputs_of(answers: Answers) -> np.ndarray:
    """Return the predictions (N,) float64; all equal if they differ only by rounding."""
    outputs = answers["prediction"].astype(np.float64)
    return np.full_like(outputs, outputs[0]) if len(outputs) and _is_rounding(outputs) else outputs


def _is_rounding(outputs: np.ndarray) -> bool:
    return bool(np.ptp(outputs) <= ROUNDING * np.abs(outputs).max())


def _mse(outputs: np.ndarray, targets: np.ndarray) -> OfCounts:
    errors = (outputs - targets) ** 2
    return lambda counts: counts @ errors / len(errors)


def _pearson(outputs: np.ndarray, targets: np.ndarray) -> OfCounts:
    # Centred and scaled first, so that the sums do not lose precision.
    x, y = _standardise(outputs), _standardise(targets)
    return lambda counts: _correlate(counts, x, y)


def _spearman(outputs: np.ndarray, targets: np.ndarray) -> OfCounts:
    rank_x, rank_y = _ranker(outputs), _ranker(targets)
    return lambda counts: _correlate(counts, rank_x(counts), rank_y(counts))


def _standardise(values: np.ndarray) -> np.ndarray:
    return np.zeros_like(values) if is_constant(values) else (values - values.mean()) / values.std()


def _ranker(values: np.ndarray) -> OfCounts:
    """Return a function from counts (R, N) to the centred mid-ranks (R, N) of the drawn values."""
    order = np.argsort(values, kind="stable")
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    firsts = np.concatenate(([0], np.cumsum(sizes)[:-1]))

    def ranks(counts: np.ndarray) -> np.ndarray:
        drawn = np.add.reduceat(counts[:, order], firsts, axis=1)  # draws per distinct value, ascending
        middle = np.cumsum(drawn, axis=1) - (drawn - 1) / 2
        return np.asarray((middle - (counts.shape[1] + 1) / 2)[:, group])

    return ranks


def _correlate(counts: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the Pearson correlation (R,) of rows drawn `counts` (R, N) times; 0 if a side is constant."""
    rows = counts.sum(axis=1)
    sum_x, sum_y = (counts * x).sum(axis=1), (counts * y).sum(axis=1)
    covariance = (counts * x * y).sum(axis=1) - sum_x * sum_y / rows
    squares = [((counts * z * z).sum(axis=1), sum_z**2 / rows) for z, sum_z in ((x, sum_x), (y, sum_y))]
    spreads = [np.where(own - mean > CONSTANT * own, own - mean, 0.0) for own, mean in squares]
    spread = np.sqrt(spreads[0] * spreads[1])
    return np.where(spread > 0, covariance / np.where(spread > 0, spread, 1.0), 0.0)


NUMBER_SCORES: dict[str, Score] = {
    score.name: score
    for score in (RowScore("pearson", _pearson), RowScore("spearman", _spearman), RowScore("mse", _mse))
}
