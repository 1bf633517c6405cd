"""The solvers, of scikit-learn: logistic regression of one class against the others, and ridge for numbers.

scikit-learn is imported where it is needed: no other run waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TOLERANCE, MOST_ROUNDS = 1e-4, 1000
FEWEST_ROWS = 5  # of a class; below it only the bias is fitted


@dataclass(frozen=True)
class Linear:
    """A linear model over n-grams: one column of scores for each binary problem, or for the number."""

    weights: np.ndarray  # (columns, F)
    bias: np.ndarray  # (columns,)

    def scores(self, presence: csr_matrix) -> np.ndarray:
        """Return the scores of rows, (rows, columns)."""
        return np.asarray(presence @ self.weights.T) + self.bias


class Solver(Protocol):
    """Fits a linear model on scaled columns."""

    strengths: tuple[float, ...]  # to choose among: C, or the ridge's 1 / alpha; from strong to weak

    def fit(self, presence: csr_matrix, scales: np.ndarray, strength: float) -> Linear:
        """Return weights for presence (rows, F), already multiplied by the scales (columns, F)."""
        ...


class Logistic:
    """Logistic regression with an L2 penalty, one class against all others."""

    strengths: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)

    def __init__(self, members: np.ndarray, row_weights: np.ndarray | None = None) -> None:
        """members: (problems, rows) bool; row_weights: (rows,) in the loss."""
        self.members, self.row_weights = members, row_weights

    def fit(self, presence: csr_matrix, scales: np.ndarray, strength: float) -> Linear:
        """Return the weights of each problem."""
        weights, bias = np.zeros(scales.shape), np.zeros(len(scales))
        for place, (inside, scale) in enumerate(zip(self.members, scales)):
            if min(inside.sum(), (~inside).sum()) < FEWEST_ROWS:
                share = (inside.sum() + 0.5) / (len(inside) + 1)
                bias[place] = np.log(share / (1 - share))
                continue
            weights[place], bias[place] = self._fit_one(presence, inside, scale, strength)
        return Linear(weights, bias)

    def _fit_one(
        self, presence: csr_matrix, inside: np.ndarray, scale: np.ndarray, strength: float
    ) -> tuple[np.ndarray, float]:
        from sklearn.linear_model import LogisticRegression

        # Each fit starts from zero: from another strength's solution it stops at once, within the tolerance.
        solver = LogisticRegression(C=strength, tol=TOLERANCE, max_iter=MOST_ROUNDS)
        solver.fit(scale_columns(presence, scale), inside, sample_weight=self.row_weights)
        return solver.coef_[0] * scale, float(solver.intercept_[0])


class Ridge:
    """Least squares with an L2 penalty."""

    strengths: tuple[float, ...] = (1 / 100, 1 / 30, 1 / 10, 1 / 3)

    def __init__(self, values: np.ndarray) -> None:
        """values: (rows,) to predict."""
        self.values = values

    def fit(self, presence: csr_matrix, scales: np.ndarray, strength: float) -> Linear:
        """Return the weights of the number."""
        from sklearn.linear_model import Ridge as Solver

        solver = Solver(alpha=1 / strength, solver="sparse_cg", tol=TOLERANCE)
        solver.fit(scale_columns(presence, scales[0]), self.values)
        return Linear(solver.coef_[None] * scales, np.array([float(solver.intercept_)]))


def scale_columns(presence: csr_matrix, scale: np.ndarray) -> csr_matrix:
    """Return the matrix with its columns multiplied by `scale` (F,)."""
    from scipy.sparse import csr_matrix

    return csr_matrix((presence.data * scale[presence.indices], presence.indices, presence.indptr), presence.shape)


def few_by_l1(presence: csr_matrix, members: np.ndarray, scales: np.ndarray, most: int) -> np.ndarray:
    """Return the columns that an L1 penalty leaves, at most `most` of them, ascending; none where all C leave more."""
    from sklearn.svm import l1_min_c

    found = np.zeros(0, np.int64)
    for factor in (3.0, 10.0, 30.0, 100.0, 300.0):
        kept = np.zeros(presence.shape[1], bool)
        for inside, scale in zip(members, scales):
            if min(inside.sum(), (~inside).sum()) >= FEWEST_ROWS:
                scaled = scale_columns(presence, scale)
                kept |= _l1(scaled, inside, factor * l1_min_c(scaled, inside, loss="log"))
        if not 0 < kept.sum() <= most:
            break
        found = np.flatnonzero(kept)
    return found


def _l1(scaled: csr_matrix, inside: np.ndarray, strength: float) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    solver = LogisticRegression(C=strength, l1_ratio=1.0, solver="liblinear", tol=1e-3, random_state=0)
    kept: np.ndarray = solver.fit(scaled, inside).coef_[0] != 0
    return kept
