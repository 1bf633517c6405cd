"""The temperature T of a classifier: p = softmax(z / T), fitted to minimise the log loss of rows not trained on.

The log loss is convex in 1/T, so the logits determine T, without learning rate or seed. T never changes the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_ROWS = 100
LEAST_RATIO = 3.84  # 95 % quantile of chi-squared with one degree of freedom: below it a T other than 1 fits noise
LOWEST, HIGHEST = 0.05, 20.0  # initial bracket of 1/T
STEPS = 200  # at most; Newton's method takes about six


@dataclass(frozen=True)
class Temperature:
    """A temperature, and its effect on the rows that it was fitted to.

    reason: why it is 1; "" if it was fitted. is_refused: the rows do not allow a fit. before, after: mean negative
    log-likelihood in nats, with 1 and with `value`.
    """

    value: float = 1.0
    rows: int = 0
    reason: str = ""
    is_refused: bool = False
    before: float | None = None
    after: float | None = None

    @property
    def ratio(self) -> float:
        """The likelihood ratio of `after` over `before`, as a chi-squared value; 0 if nothing was fitted."""
        return 2 * self.rows * (self.before - self.after) if self.before is not None and self.after is not None else 0.0


def fit_temperature(logits: np.ndarray, labels: np.ndarray, names: Sequence[str] = ()) -> Temperature:
    """Return the temperature of logits (n, C) for labels (n,), or 1 with the reason; names: of the classes.

    Refused: fewer than FEWEST_ROWS rows, a class without rows, and logits that are not finite, are the same for every
    row, make no mistake, or do not favour the labels. T stays 1 if the gain is within noise.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    rows = len(labels)
    if reason := why_not(logits, labels, names):
        return Temperature(1.0, rows, reason, is_refused=True)
    value = 1.0 / solve_inverse(logits, labels)
    before, after = (negative_log_likelihood(logits / one, labels) for one in (1.0, value))
    found = Temperature(value, rows, "", before=before, after=after)
    if found.ratio > LEAST_RATIO:
        return found
    return Temperature(1.0, rows, f"no temperature gains more than noise on {rows:,} rows", before=before)


def why_not(logits: np.ndarray, labels: np.ndarray, names: Sequence[str] = ()) -> str:
    """Return why no temperature can be fitted to logits (n, C), float64, and labels (n,); "" if one can."""
    rows = len(labels)
    broken = np.flatnonzero(~np.isfinite(logits).all(1))
    if len(broken):
        return f"the logits of row {broken[0] + 1} are not finite"
    if rows < FEWEST_ROWS:
        return f"calibration needs at least {FEWEST_ROWS} rows, but has {rows}"
    missing = np.flatnonzero(np.bincount(labels, minlength=logits.shape[1]) == 0)
    if len(missing):
        first = int(missing[0])
        return f"no calibration row has the label {names[first] if first < len(names) else first!r}"
    if (logits == logits[0]).all():
        return "the model always gives the same answer"
    own = logits[np.arange(rows), labels]
    if slope(logits, own, 0.0) >= 0:
        return "the logits do not favour the labels"
    if (own == logits.max(1)).all():
        return f"no mistake on the {rows:,} calibration rows"
    return ""


def solve_inverse(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the 1/T that minimises the log loss of logits (n, C) for labels (n,), to a relative precision of 1e-12.

    It is finite where `why_not` returns ""; found by Newton's method within a bracket.
    """
    own = logits[np.arange(len(labels)), labels]
    low, high = LOWEST, HIGHEST
    while slope(logits, own, low) > 0:
        low /= 4
    while slope(logits, own, high) < 0:
        high *= 4
    found = min(max(1.0, low), high)
    for _ in range(STEPS):
        value, curve = slope(logits, own, found), curvature(logits, found)
        low, high = (low, found) if value > 0 else (found, high)
        wanted = found - value / curve if curve > 0 else low
        wanted = wanted if low < wanted < high else (low + high) / 2
        if abs(wanted - found) <= 1e-12 * found:
            return wanted
        found = wanted
    return found


def slope(logits: np.ndarray, own: np.ndarray, inverse: float) -> float:
    """Return the derivative of the mean log loss in 1/T at `inverse`; own: (n,) the logit of each row's label."""
    shares = _softmax(logits * inverse)
    return float(((shares * logits).sum(1) - own).mean())


def curvature(logits: np.ndarray, inverse: float) -> float:
    """Return the second derivative of the mean log loss in 1/T at `inverse`."""
    shares = _softmax(logits * inverse)
    means = (shares * logits).sum(1, keepdims=True)
    return float((shares * (logits - means) ** 2).sum(1).mean())


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean log loss of logits (n, C) for labels (n,), in nats."""
    highest = logits.max(1)
    sums = np.log(np.exp(logits - highest[:, None]).sum(1)) + highest
    return float((sums - logits[np.arange(len(labels)), labels]).mean())


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(1, keepdims=True)
    return shares
