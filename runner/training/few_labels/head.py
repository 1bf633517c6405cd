"""The last layer, fitted on text vectors by scikit-learn: logistic regression for classes, ridge for a number.

scikit-learn is imported lazily, so that no other run waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS

STRENGTHS = (
    0.3,
    1.0,
    3.0,
    10.0,
    30.0,
)  # C for vectors with mean squared length 1; from a strong penalty to a weak one
MOST_ROUNDS = 2000


@dataclass(frozen=True)
class FittedHead:
    """A fitted last layer and how it was chosen."""

    weights: np.ndarray  # (outputs, H)
    bias: np.ndarray  # (outputs,)
    strength: float  # C of the logistic regression; 1 / alpha of the ridge
    tried: tuple[float, ...]  # the strengths that were compared

    def outputs(self, vectors: np.ndarray) -> np.ndarray:
        """Return the outputs for vectors (rows, H), (rows, outputs) float32."""
        found: np.ndarray = (vectors @ self.weights.T + self.bias).astype(np.float32)
        return found

    def sentence(self) -> str:
        """Return a line about the fit."""
        chosen = f", the best of {', '.join(f'{one:g}' for one in self.tried)}" if len(self.tried) > 1 else ""
        return f"last layer fitted on vectors of {self.weights.shape[1]} numbers: C {self.strength:g}{chosen}"


def fit_head(
    vectors: np.ndarray,
    labels: np.ndarray,
    outputs: int,
    score: Callable[[FittedHead], float],
    *,
    strengths: Sequence[float] = STRENGTHS,
    row_weights: np.ndarray | None = None,
    choosing: np.ndarray | None = None,
    pause: Callable[[], None] = lambda: None,
) -> FittedHead:
    """Fit a last layer for each strength and return the one with the best score; among equals the strongest penalty.

    vectors: (rows, H); labels: (rows,), class numbers or float targets; score: on the selection split, higher is
    better; row_weights: (rows,) for the loss of classes; choosing: (rows,) bool, the rows to fit on while choosing the
    strength, None for all; pause: called between fits.
    """
    length = float(np.sqrt(np.square(vectors, dtype=np.float64).sum(1).mean())) or 1.0
    scaled, whole = vectors.astype(np.float64) / length, np.ones(len(labels), bool)

    def fit(rows: np.ndarray, strength: float) -> FittedHead:
        pause()
        if np.issubdtype(labels.dtype, np.floating):
            weights, bias = _ridge(scaled[rows], labels[rows], strength)
        else:
            own = None if row_weights is None else row_weights[rows]
            weights, bias = _logistic(scaled[rows], labels[rows], outputs, strength, own)
        return FittedHead(weights / length, bias, strength, tuple(strengths))

    rows = whole if choosing is None or not choosing.any() else choosing
    best = max((fit(rows, strength) for strength in strengths), key=score)
    return best if rows.all() else fit(whole, best.strength)


def _logistic(
    vectors: np.ndarray, labels: np.ndarray, outputs: int, strength: float, row_weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (outputs, H) and bias (outputs,) of a softmax; a class without rows is never predicted."""
    from sklearn.linear_model import LogisticRegression

    weights, bias = np.zeros((outputs, vectors.shape[1])), np.zeros(outputs)
    present = np.unique(labels)
    if len(present) > 1:
        solver = LogisticRegression(C=strength, max_iter=MOST_ROUNDS)
        solver.fit(vectors, labels, sample_weight=row_weights)
        own, shift = solver.coef_, solver.intercept_
        if len(present) == 2:  # one column of scores: the second class against the first
            own, shift = np.concatenate([-own, own]) / 2, np.concatenate([-shift, shift]) / 2
        weights[present], bias[present] = own, shift
    lost = np.setdiff1d(np.arange(outputs), present)
    bias[lost] = (vectors @ weights.T + bias)[:, present].min() - np.log(len(labels) + 1)
    return weights, bias


def _ridge(vectors: np.ndarray, targets: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (1, H) and bias (1,) of a ridge regression."""
    from sklearn.linear_model import Ridge

    solver = Ridge(alpha=1 / strength).fit(vectors, targets)
    return solver.coef_[None], np.array([float(solver.intercept_)])


@torch.no_grad()
def put_into(network: LinearHead, found: FittedHead) -> None:
    """Copy a fitted last layer into a network that was built for it."""
    weights, bias = found.weights, found.bias
    if targets := network.architecture.get(TARGETS):
        weights, bias = weights / targets["sd"], (bias - targets["mean"]) / targets["sd"]
    network.classifier.weight.copy_(torch.from_numpy(weights))
    network.classifier.bias.copy_(torch.from_numpy(bias))
