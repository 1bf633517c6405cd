"""Minimal pairs: which of two sentences has the higher score, and the interval of a mean over many pairs.

A tie counts one half. Taking the first of two equal scores would give 100 % to a model that cannot tell the sentences
apart, because the good one always comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from runner.statistics.paired import RESAMPLES_MEAN, bootstrap_ends, bootstrap_p, resample_mean

TIE = 1e-6  # nats per piece: float32 rounding between two equal sums
TIED = 0.5  # the outcome of a tie


@dataclass(frozen=True)
class Share:
    """A mean outcome of pairs with its 95 % interval: 1 for right, 0 for wrong, one half for a tie."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much more often one model is right than another on the same pairs; p: p-value of 'no difference'."""

    mean: float
    low: float
    high: float
    p: float


def pair_outcomes(good: np.ndarray, bad: np.ndarray, pieces: np.ndarray | float = 1.0) -> np.ndarray:
    """Return 1 if the good sentence scores higher, 0 if it scores lower, 0.5 for a tie; (N,) float64.

    good, bad: (N,) scores; pieces: (N,) of the longer sentence; the tolerance of a tie is proportional to them.
    """
    difference = np.asarray(good, np.float64) - np.asarray(bad, np.float64)
    return np.where(np.abs(difference) < TIE * pieces, TIED, (difference > 0).astype(np.float64))


def macro_share(outcomes: Mapping[str, np.ndarray]) -> Share:
    """Return the mean over paradigms of their mean outcome; the interval resamples pairs within each paradigm.

    outcomes: (pairs,) by paradigm, at least one paradigm with at least one pair. A bootstrap of pairs that are all
    right has no width, however few they are, so the share of a paradigm that is all right or all wrong is drawn from
    its Jeffreys posterior instead.
    """
    mean = float(np.mean([values.mean() for values in outcomes.values()]))
    draws = [_draws(values, seed) for seed, values in enumerate(outcomes.values())]
    low, high = _ends(np.mean(draws, axis=0))
    return Share(mean, min(low, mean), max(high, mean))


def macro_difference(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> Difference:
    """Return the mean over paradigms of first - second, with a paired bootstrap over the pairs of each paradigm.

    first, second: outcomes (pairs,) of the same pairs in the same order, by paradigm.
    """
    differences = {name: values - second[name] for name, values in first.items()}
    mean = float(np.mean([values.mean() for values in differences.values()]))
    if not any(values.any() for values in differences.values()):
        return Difference(0.0, 0.0, 0.0, 1.0)
    resampled = _resampled(differences)
    units = sum(len(values) - 1 for values in differences.values()) + 1  # each mean takes a degree of freedom
    return Difference(mean, *bootstrap_ends(resampled, units), bootstrap_p(resampled, units))


def _draws(values: np.ndarray, seed: int) -> np.ndarray:
    """Return resampled means of one paradigm's outcomes, (R,), or posterior draws if all are right or wrong."""
    right = float(values.sum())
    if right not in (0.0, len(values)):
        return resample_mean(values, seed=seed)
    generator = np.random.default_rng(seed)
    return generator.beta(right + 0.5, len(values) - right + 0.5, size=RESAMPLES_MEAN)


def _resampled(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return resampled means over paradigms, (R,); each paradigm draws its own pairs."""
    return np.mean([resample_mean(one, seed=seed) for seed, one in enumerate(values.values())], axis=0)


def _ends(resampled: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def shorter_outcomes(good: Sequence[int] | np.ndarray, bad: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the outcomes (N,) of preferring the sentence with fewer pieces; good, bad: (N,) numbers of pieces."""
    return pair_outcomes(-np.asarray(good, np.float64), -np.asarray(bad, np.float64))
