"""The expected calibration error (ECE), its floor for a perfectly calibrated model, and reliability diagram bins.

Confidence is the largest probability of a row. Even a perfectly calibrated model has an ECE above 0, because labels are
random: 0.037 on 872 rows of mean confidence 0.80. So compare an ECE with its floor. The order of rows does not matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

BINS = 15
DRAWS = 200  # simulated sets of labels for the floor


@dataclass(frozen=True)
class Floor:
    """The ECE of a perfectly calibrated model with the same confidences: its mean and 95 % quantile."""

    mean: float
    high: float


@dataclass(frozen=True)
class Bin:
    """Rows of similar confidence. right: the share that is correct; low, high: the range of that share in 95 % of the
    simulations of a perfectly calibrated model.
    """

    count: int
    confidence: float
    right: float
    low: float
    high: float


def ece(confidence: np.ndarray, is_right: np.ndarray, bins: int = BINS) -> float:
    """Return the ECE over bins with equal numbers of rows; rows of equal confidence always share a bin.

    confidence: (n,) the largest probability of each row; is_right: (n,) bool. Without the rule on ties the value would
    depend on the order of the rows.
    """
    confidence, is_right = _sorted(confidence, is_right)
    edges = equal_mass_edges(confidence, bins)
    return float(np.abs(np.add.reduceat(confidence - is_right, edges[:-1])).sum() / len(confidence))


def ece_equal_width(confidence: np.ndarray, is_right: np.ndarray, bins: int = BINS) -> float:
    """Return the ECE over the intervals (0, 1/bins], ..., (1 - 1/bins, 1], as most papers report it."""
    confidence = np.asarray(confidence, np.float64)
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    sums = np.bincount(place, confidence - np.asarray(is_right, np.float64), bins)
    return float(np.abs(sums).sum() / len(confidence))


def ece_floor(confidence: np.ndarray, bins: int = BINS, draws: int = DRAWS) -> Floor:
    """Return the ECE of a perfectly calibrated model with these confidences (n,), over labels simulated from seed 0."""
    ordered = np.sort(np.asarray(confidence, np.float64))
    starts = equal_mass_edges(ordered, bins)[:-1]
    generator, own = np.random.default_rng(0), np.add.reduceat(ordered, starts)
    found = np.empty(draws)
    for draw in range(draws):
        right = np.add.reduceat(generator.random(len(ordered)) < ordered, starts, dtype=np.int64)
        found[draw] = np.abs(own - right).sum() / len(ordered)
    return Floor(float(found.mean()), float(np.quantile(found, 0.95)))


def ece_debiased(found: float, floor: float) -> float:
    """Return the ECE with its floor removed: sqrt(found^2 - floor^2), at least 0."""
    return math.sqrt(max(0.0, found**2 - floor**2))


def reliability_bins(confidence: np.ndarray, is_right: np.ndarray, bins: int = BINS, draws: int = DRAWS) -> list[Bin]:
    """Return the bins of `ece` from low to high confidence, each with the 95 % band of a perfectly calibrated model."""
    confidence, is_right = _sorted(confidence, is_right)
    edges = equal_mass_edges(confidence, bins)
    starts, counts = edges[:-1], np.diff(edges)
    generator = np.random.default_rng(0)
    drawn = np.stack([
        np.add.reduceat(generator.random(len(confidence)) < confidence, starts, dtype=np.int64) for _ in range(draws)
    ])  # fmt: skip
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0) / counts
    means = (np.add.reduceat(values, starts) / counts for values in (confidence, is_right))
    return [Bin(int(count), *map(float, values)) for count, *values in zip(counts, *means, low, high)]


def equal_mass_edges(ordered: np.ndarray, bins: int) -> np.ndarray:
    """Return where each bin of sorted values (n,) begins, then n: multiples of n / bins, moved right past ties."""
    count = len(ordered)
    cuts = np.rint(count * np.arange(1, bins) / bins).astype(np.int64)
    cuts = cuts[(cuts > 0) & (cuts < count)]
    is_tied = ordered[cuts] == ordered[cuts - 1]
    cuts[is_tied] = np.searchsorted(ordered, ordered[cuts[is_tied]], side="right")
    return np.unique(np.concatenate([[0], cuts, [count]]))


def _sorted(confidence: np.ndarray, is_right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float64, sorted by confidence; among ties right rows come last, so that sums are reproducible."""
    confidence, is_right = np.asarray(confidence, np.float64), np.asarray(is_right, np.float64)
    order = np.lexsort((is_right, confidence))
    return confidence[order], is_right[order]
