"""A temperature that depends on the spread of a row's logits, for models that one temperature does not fit.

    u = z / T,  s = sqrt(2 * sum((u - mean(u)) ** 2)),  p = softmax(u * s ** (power - 1))

With two classes s is the margin. A power below 1 lowers the confidence of rows with large margins and raises that of
rows with small ones, as sums over many words need; a power above 1 does the reverse, as encoders with bounded logits
need. Power 1 is a plain temperature. No answer changes. It belongs to the family of arXiv 2208.00461, whose best member
uses the entropy of a row instead of s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runner.statistics.temperature import LEAST_RATIO, negative_log_likelihood, slope, solve_inverse

FEWEST_ROWS = 400  # with fewer, a power that passes the test worsens other rows about as often as it improves them
LOWEST, HIGHEST = 0.25, 4.0  # of the power
PRECISION = 1e-5  # of its logarithm


@dataclass(frozen=True)
class AdaptiveTemperature:
    """A temperature with its power, and the mean log loss in nats on the rows that it was fitted to."""

    temperature: float
    power: float
    after: float


def fit_adaptive(logits: np.ndarray, labels: np.ndarray) -> AdaptiveTemperature | None:
    """Return the temperature and the power that minimise the log loss of logits (n, C) for labels (n,).

    None for fewer than FEWEST_ROWS rows, and where the gain over the best plain temperature is within noise: a
    likelihood ratio of at most LEAST_RATIO. `why_not` of temperature.py must return "" for these logits.
    """
    from scipy.optimize import minimize_scalar

    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    if len(labels) < FEWEST_ROWS:
        return None
    own = _spread(logits)
    usual = float(np.exp(np.log(own[own > 0]).mean()))  # powers of s itself may overflow
    relative = np.where(own > 0, own / usual, 1.0)

    def bent(power: float) -> np.ndarray:
        return np.asarray(logits * relative ** (power - 1))

    def loss(log_power: float) -> float:
        found = bent(float(np.exp(log_power)))
        points = slope(found, found[np.arange(len(labels)), labels], 0.0) < 0
        return negative_log_likelihood(found * solve_inverse(found, labels), labels) if points else np.inf

    ends = (np.log(LOWEST), np.log(HIGHEST))
    best = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": PRECISION})
    if not 2 * len(labels) * (loss(0.0) - best.fun) > LEAST_RATIO:
        return None
    power = float(np.exp(best.x))
    inverse = solve_inverse(bent(power), labels)
    return AdaptiveTemperature(float((inverse * usual ** (1 - power)) ** (-1 / power)), power, float(best.fun))


def apply_temperature(logits: np.ndarray, temperature: float, power: float = 1.0) -> np.ndarray:
    """Return the calibrated logits (n, C), float64; their softmax gives the probabilities."""
    scaled = np.asarray(logits, np.float64) / temperature
    if power == 1:
        return np.asarray(scaled)
    spread = _spread(scaled)
    return np.asarray(scaled * np.where(spread > 0, spread, 1.0) ** (power - 1))


def _spread(logits: np.ndarray) -> np.ndarray:
    """Return s of each row, (n, 1)."""
    distances = logits - logits.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt(2 * (distances**2).sum(axis=1, keepdims=True)))
