"""Vector scaling: p = softmax(w * z + c) with a weight and a shift for each class, used only on request.

It may change the answer. With fewer than 35 to 50 rows per class, or if the logits have no class-dependent bias, it is
worse than a temperature, so it must beat a temperature on held-out rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runner.statistics.probabilities import log_losses, softmax
from runner.statistics.temperature import slope, solve_inverse

FEWEST_OF_A_CLASS = 50
FOLDS = 5


@dataclass(frozen=True)
class VectorScaling:
    """weights: (C,); shifts: (C,), with sum 0. gain: reduction of log loss in nats against a temperature, held out."""

    weights: np.ndarray
    shifts: np.ndarray
    gain: float = 0.0

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Return the calibrated logits (n, C)."""
        return np.asarray(logits * self.weights + self.shifts)


def fit_vector_scaling(logits: np.ndarray, labels: np.ndarray) -> VectorScaling | str:
    """Return the scaling of logits (n, C) for labels (n,), or the reason to use a temperature instead.

    `why_not` of temperature.py must return "" for these logits.
    """
    logits = np.asarray(logits, np.float64)
    fewest = int(np.bincount(labels, minlength=logits.shape[1]).min())
    if fewest < FEWEST_OF_A_CLASS:
        return f"vector scaling needs {FEWEST_OF_A_CLASS} rows per class, but one has {fewest}"
    gains = held_out_gains(logits, labels)
    if gains is None:
        return "on four fifths of the rows the logits do not favour the labels"
    gain, error = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))
    if gain <= error:
        return f"vector scaling gains {gain:+.4f} nats, within noise ({error:.4f})"
    found = solve_vector(logits, labels)
    return VectorScaling(found.weights, found.shifts, gain)


def held_out_gains(logits: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    """Return by how much each row's log loss (n,) is lower than with a temperature; both are fitted to other rows.

    None if the logits of those other rows do not favour the labels: no temperature fits them.
    """
    fold = np.random.default_rng(0).permutation(len(labels)) % FOLDS
    own, gains = logits[np.arange(len(labels)), labels], np.empty(len(labels))
    for number in range(FOLDS):
        held, rest = fold == number, fold != number
        if slope(logits[rest], own[rest], 0.0) >= 0:
            return None
        inverse, vector = solve_inverse(logits[rest], labels[rest]), solve_vector(logits[rest], labels[rest])
        plain, scaled = (softmax(found) for found in (logits[held] * inverse, vector.apply(logits[held])))
        gains[held] = log_losses(plain, labels[held]) - log_losses(scaled, labels[held])
    return gains


def solve_vector(logits: np.ndarray, labels: np.ndarray) -> VectorScaling:
    """Return the weights and shifts that minimise the log loss, by L-BFGS from 1 and 0; the problem is convex."""
    from scipy.optimize import minimize

    rows, classes = logits.shape
    wanted = np.eye(classes)[labels]

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        shares = softmax(logits * values[:classes] + values[classes:])
        errors = (shares - wanted) / rows
        return float(log_losses(shares, labels).mean()), np.concatenate([(errors * logits).sum(0), errors.sum(0)])

    start = np.concatenate([np.ones(classes), np.zeros(classes)])
    options = {"gtol": 1e-8, "ftol": 0.0, "maxiter": 2000, "maxfun": 20_000}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    return VectorScaling(found[:classes], found[classes:] - found[classes:].mean())
