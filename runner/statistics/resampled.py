"""Tests of two recipes over folds of one data set, whose training rows overlap.

    corrected_t([0.02, 0.01, 0.03, -0.01, 0.02], ratio=1 / 4)      # five folds: each tests on a quarter of its train

A plain t test treats folds as independent. With 5 x 5 folds it calls equal recipes different in 40-45 % of cases
(simulated), because every two training sets share most of their rows; the corrected test does so in 3-4 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Resampled:
    """A mean over folds of one data set, with its 95 % interval and the test of the hypothesis that it is 0."""

    mean: float
    low: float
    high: float
    statistic: float  # t
    p: float  # two-sided
    degrees: int


def corrected_t(values: Sequence[float], ratio: float) -> Resampled | None:
    """Return the corrected resampled t test of the mean of one value per fold; None for one value, or equal values.

    values: differences of two recipes, or scores of one, (J,). ratio: held-out rows / training rows, 1 / (k - 1) for k
    folds. The variance of the mean is taken as (1 / J + ratio) times that of the values, with J - 1 degrees of freedom.
    None also for values that are not finite; equal values give no estimate of the variance.
    Source: Nadeau & Bengio 2003, Machine Learning 52, 239-281, section 4.2.
    """
    from scipy import stats

    found = np.asarray(values, np.float64)
    if len(found) < 2 or not np.isfinite(found).all() or np.ptp(found) <= 1e-12 * max(1.0, float(np.abs(found).max())):
        return None
    mean, degrees = float(found.mean()), len(found) - 1
    error = math.sqrt((1 / len(found) + ratio) * float(found.var(ddof=1)))
    half = float(stats.t.ppf(0.975, degrees)) * error
    return Resampled(
        mean, mean - half, mean + half, mean / error, 2 * float(stats.t.sf(abs(mean / error), degrees)), degrees
    )


def five_by_two_t(differences: np.ndarray) -> tuple[float, float]:
    """Return t and its p-value, with 5 degrees of freedom, for five repeats of 2-fold cross-validation.

    differences: (5, 2) of two recipes. Raises ValueError for another shape, or differences without scatter.
    Source: Dietterich 1998, Neural Computation 10, 1895-1923, section 3.5.
    """
    from scipy import stats

    found = float(differences[0, 0]) / math.sqrt(_variances(differences).mean())
    return found, 2 * float(stats.t.sf(abs(found), 5))


def five_by_two_f(differences: np.ndarray) -> tuple[float, float]:
    """Return F and its p-value, with 10 and 5 degrees of freedom, for five repeats of 2-fold cross-validation.

    differences: (5, 2) of two recipes; all are used, not only the first as in the numerator of `five_by_two_t`. Raises
    ValueError for another shape, or differences without scatter.
    Source: Alpaydin 1999, Neural Computation 11, 1885-1892, equation 6.
    """
    from scipy import stats

    found = float((differences**2).sum()) / (2 * _variances(differences).sum())
    return found, float(stats.f.sf(found, 10, 5))


def _variances(differences: np.ndarray) -> np.ndarray:
    """Return the variance within each repeat, (5,): the sum of squares around its mean."""
    if differences.shape != (5, 2):
        raise ValueError(f"5 x 2 differences are needed, not {' x '.join(map(str, differences.shape))}")
    found = ((differences - differences.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    if not found.sum() > 0:
        raise ValueError("the halves of every repeat differ by the same amount, so there is no test")
    return np.asarray(found)
