"""The solvers: logistic regression of one class against the others, and ridge for numbers.

SciPy and scikit-learn are imported lazily, so that no other run waits for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

TOLERANCE, MOST_ROUNDS = 1e-4, 1000
FEWEST_ROWS = 1  # on each side of a binary problem; below it only the bias is fitted


@dataclass(frozen=True)
class Linear:
    """A linear model over n-grams: one column of scores for each binary problem, or for the number."""

    weights: np.ndarray  # (columns, F)
    bias: np.ndarray  # (columns,)

    def scores(self, presence: csc_matrix) -> np.ndarray:
        """Return the scores of rows, (rows, columns)."""
        return np.asarray(presence @ self.weights.T) + self.bias


class Solver(Protocol):
    """Fits a linear model on scaled columns."""

    strengths: tuple[float, ...]  # to choose among: C, or 1 / alpha of ridge; from strong penalty to weak

    def fit(self, presence: csc_matrix, scales: np.ndarray, strength: float, tolerance: float = TOLERANCE) -> Linear:
        """Return weights for presence (rows, F), already multiplied by the scales (columns, F)."""
        ...


class Logistic:
    """Logistic regression with an L2 penalty, one class against all others."""

    strengths: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)

    def __init__(self, members: np.ndarray, row_weights: np.ndarray | None = None) -> None:
        """members: (problems, rows) bool, or shares of the class.

        row_weights: (rows,) or (problems, rows), weights in the loss.
        """
        self.members, self.row_weights = members, row_weights

    def fit(self, presence: csc_matrix, scales: np.ndarray, strength: float, tolerance: float = TOLERANCE) -> Linear:
        """Return the weights of each problem."""
        weights, bias = np.zeros(scales.shape), np.zeros(len(scales))
        for place, (inside, scale) in enumerate(zip(self.members, scales)):
            if min(inside.sum(), len(inside) - inside.sum()) < FEWEST_ROWS:
                share = (inside.sum() + 0.5) / (len(inside) + 1)
                bias[place] = np.log(share / (1 - share))
                continue
            share = np.ones(len(inside)) if self.row_weights is None else weights_of(self.row_weights, place)
            used = np.flatnonzero(scale)  # the other weights are 0; of many classes each has few n-grams left
            own = presence if len(used) == len(scale) else presence[:, used]
            weights[place, used], bias[place] = self._fit_one(own, inside, scale[used], strength, share, tolerance)
        return Linear(weights, bias)

    def _fit_one(
        self,
        presence: csc_matrix,
        inside: np.ndarray,
        scale: np.ndarray,
        strength: float,
        share: np.ndarray,
        tolerance: float,
    ) -> tuple[np.ndarray, float]:
        """Return the weights and the bias of one problem, by L-BFGS with scikit-learn's options; share: row weights.

        Each fit starts from zero: started from the solution of another strength it would stop at once, as that is
        within the tolerance.
        """
        from scipy.optimize import minimize

        columns = presence.shape[1]
        share = share.astype(np.float64)
        penalty, share = 1 / (strength * share.sum()), share / share.sum()
        targets, transposed = inside.astype(np.float64), presence.T

        def loss_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
            weights, gradient = point[:-1], np.empty_like(point)
            outputs = presence @ (weights * scale) + point[-1]
            powers = np.exp(-np.abs(outputs))
            losses = np.log1p(powers) + np.maximum(outputs, 0) - targets * outputs
            slopes = (np.where(outputs >= 0, 1.0, powers) / (1 + powers) - targets) * share
            gradient[:-1] = (transposed @ slopes) * scale + penalty * weights
            gradient[-1] = slopes.sum()
            return float(losses @ share) + 0.5 * penalty * float(weights @ weights), gradient

        options = {"maxiter": MOST_ROUNDS, "maxls": 50, "gtol": tolerance, "ftol": 64 * np.finfo(float).eps}
        start = np.zeros(columns + 1)
        found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options).x
        return found[:-1] * scale, float(found[-1])


class Ridge:
    """Least squares with an L2 penalty."""

    strengths: tuple[float, ...] = (1 / 100, 1 / 30, 1 / 10, 1 / 3)

    def __init__(self, values: np.ndarray) -> None:
        """values: (rows,) to predict."""
        self.values = values

    def fit(self, presence: csc_matrix, scales: np.ndarray, strength: float, tolerance: float = TOLERANCE) -> Linear:
        """Return the weights of the number."""
        from sklearn.linear_model import Ridge as Solver

        solver = Solver(alpha=1 / strength, solver="sparse_cg", tol=tolerance)
        solver.fit(scale_columns(presence, scales[0]).tocsr(), self.values)
        return Linear(solver.coef_[None] * scales, np.array([float(solver.intercept_)]))


def weights_of(row_weights: np.ndarray, problem: int) -> np.ndarray:
    """Return the weights of the rows, (rows,), in one problem; row_weights: (rows,) or (problems, rows)."""
    return np.asarray(row_weights[problem] if row_weights.ndim == 2 else row_weights)


def scale_columns(presence: csc_matrix, scale: np.ndarray) -> csc_matrix:
    """Return the matrix with its columns multiplied by `scale` (F,)."""
    from scipy.sparse import csc_matrix

    data = presence.data * np.repeat(scale, np.diff(presence.indptr))
    return csc_matrix((data, presence.indices, presence.indptr), presence.shape)


def few_by_l1(
    presence: csc_matrix, members: np.ndarray, scales: np.ndarray, most: int, row_weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the columns that an L1 penalty keeps, ascending, with the weakest penalty that keeps at most `most`.

    None are returned if even the strongest penalty keeps more, or keeps none. row_weights: (rows,) or (problems, rows).
    """
    from sklearn.svm import l1_min_c

    found = np.zeros(0, np.int64)
    for factor in (3.0, 10.0, 30.0, 100.0, 300.0):
        kept = np.zeros(presence.shape[1], bool)
        for place, (inside, scale) in enumerate(zip(members > 0.5, scales)):  # shares count as the likelier side
            if min(inside.sum(), (~inside).sum()) >= FEWEST_ROWS:
                scaled = scale_columns(presence, scale).tocsr()
                share = None if row_weights is None else weights_of(row_weights, place)
                kept |= _l1(scaled, inside, factor * l1_min_c(scaled, inside, loss="log"), share)
        if not 0 < kept.sum() <= most:
            break
        found = np.flatnonzero(kept)
    return found


def _l1(scaled: csr_matrix, inside: np.ndarray, strength: float, row_weights: np.ndarray | None) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    solver = LogisticRegression(C=strength, l1_ratio=1.0, solver="liblinear", tol=1e-3, random_state=0)
    kept: np.ndarray = solver.fit(scaled, inside, sample_weight=row_weights).coef_[0] != 0
    return kept
