"""Intervals over seeds, paired tests on the same examples, and Holm's correction; on numbers and arrays only.

scipy provides the distributions and basic tests; this file adds what it lacks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.statistics.class_counts import OfClasses, drawn_counts
from runner.statistics.intervals import student_interval, wider_z

RESAMPLES = 5000  # the smallest p-value of the bootstrap is then 2/5001
RESAMPLES_MEAN = 2000  # where only the ends of an interval are needed
EXACT_BELOW = 1000  # discordant examples; at this number both forms agree to three digits (0.21745 and 0.21747)
_CHUNK = 2_000_000  # counts held at once: 16 MB


@dataclass(frozen=True)
class Interval:
    """A 95 % interval and a phrase that says what it is over."""

    low: float
    high: float
    over: str

    @property
    def half(self) -> float:
        """Half of its width."""
        return (self.high - self.low) / 2


def standard_deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation over seeds (n - 1); None for a single seed, and if not all values are finite."""
    return float(np.std(values, ddof=1)) if len(values) > 1 and np.all(np.isfinite(values)) else None


def seed_interval(values: Sequence[float]) -> Interval | None:
    """Student's t interval of the mean over seeds; None for a single seed, which says nothing about others.

    The bootstrap is no alternative: n resampled seeds cannot reach beyond the n values. In simulation (4,000 draws,
    normal) the 95 % percentile bootstrap covers the mean in 51 % of the cases at n=2, 76 % at n=3, 83 % at n=5, 90 % at
    n=10; Student's t in 95 % at each, and it stays ahead for skewed values (n=3: 89 % against 70 %).
    """
    n = len(values)
    if n < 2 or not np.all(np.isfinite(values)):
        return None
    return Interval(*student_interval(values), f"t over {n} seeds")


def seed_bootstrap(values: Sequence[float]) -> Interval | None:
    """Return the percentile bootstrap interval of the mean over seeds; it is too narrow, see `seed_interval`."""
    from scipy import stats

    n = len(values)
    if n < 2 or not np.all(np.isfinite(values)):
        return None
    found = stats.bootstrap(
        (np.asarray(values),), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return Interval(float(found.low), float(found.high), f"bootstrap over {n} seeds")


def mcnemar_p(first_only: int, second_only: int) -> float:
    """Return the p-value of McNemar's test for two models on the same examples.

    first_only, second_only: examples that only the first, or only the second, model gets right. Exact (binomial) below
    1,000 such examples, chi-squared with continuity correction from 1,000 on. 1 if the models never disagree.
    """
    from scipy import special  # in a tenth of the time of scipy.stats, which has the same functions as tests

    disagree = first_only + second_only
    if disagree == 0:
        return 1.0
    if disagree < EXACT_BELOW:
        fewer = min(first_only, second_only)  # twice the chance of as few, or fewer, in as many tosses of a coin
        return min(1.0, 2 * float(special.betainc(disagree - fewer, fewer + 1, 0.5)))
    return float(special.chdtrc(1, (abs(first_only - second_only) - 1) ** 2 / disagree))


def clustered_mcnemar_p(sums: np.ndarray, counts: np.ndarray | None = None) -> float:
    """McNemar's test where each example was answered by several pairs of models (one pair per seed).

    sums: (N,) whole numbers, the sum over the pairs of (first right) - (second right); with counts, (N,): the distinct
    sums, and how many examples have each. The answers to one example are not independent, so an example counts once.
    Exact below 1,000 examples with a sum other than 0: each of these keeps or changes its sign with equal chance, which
    for one pair is McNemar's exact test. From 1,000 on chi-squared without continuity correction.
    Source: Durkalski et al. 2003, Statistics in Medicine 22, 2417-2428, equation for clusters of equal size.
    """
    from scipy import special

    weights = np.ones(len(sums)) if counts is None else counts
    observed, scatter = float(weights @ sums), float(weights @ sums**2)
    if scatter == 0:
        return 1.0
    if weights[sums != 0].sum() < EXACT_BELOW:
        return _random_signs_p(np.abs(sums), weights, abs(observed))
    return float(special.chdtrc(1, observed**2 / scatter))


def _random_signs_p(sizes: np.ndarray, counts: np.ndarray, observed: float) -> float:
    """Return the chance that `counts` (K,) whole numbers of each of `sizes` (K,) sum to +-observed or beyond.

    Their signs are tosses of a coin.
    """
    chances = np.ones(1)  # of each sum of the numbers with a plus, from 0 on
    for size in np.unique(sizes[sizes > 0]).astype(int):
        count = round(float(counts[sizes == size].sum()))
        spaced = np.zeros(size * count + 1)
        spaced[::size] = 0.5**count * np.cumprod([1.0, *((count - np.arange(count)) / np.arange(1, count + 1))])
        chances = np.convolve(chances, spaced)
    sums = np.abs(2 * np.arange(len(chances)) - (len(chances) - 1))
    return min(1.0, float(chances[sums >= round(observed)].sum()))


def paired_seeds(differences: Sequence[float]) -> tuple[float, Interval] | None:
    """Return the p-value and interval of a mean difference over pairs of seeds (paired t).

    None for a single pair, and for equal differences: without scatter, as of models that no seed changes, t is not
    defined, and the seeds say nothing about further ones.
    """
    from scipy import special

    count = len(differences)
    if count < 2 or np.ptp(differences) <= 1e-12 * max(1.0, abs(differences[0])):
        return None
    error = float(np.std(differences, ddof=1)) / math.sqrt(count)
    p = 2 * float(special.stdtr(count - 1, -abs(float(np.mean(differences)) / error)))
    return p, Interval(*student_interval(differences), f"t over {count} pairs of seeds")


def bootstrap_p(resampled: np.ndarray, units: int) -> float:
    """Return the two-sided p-value of 'no difference' from resampled differences (R,): twice the smaller tail, up to 1.

    units: how many units were resampled. The tail is that of Student's t, as in `wider_z`: of two equal models the
    plain share is below 0.05 in 41, 23 and 13 % of the cases with 2, 4 and 10 units. 1 for a single unit. One is added
    to the tail and to R, so that a p-value is never 0 (Davison & Hinkley 1997, section 4.2).
    """
    from scipy import special

    tail = (min(int(np.sum(resampled <= 0)), int(np.sum(resampled >= 0))) + 1) / (len(resampled) + 1)
    if units < 2 or tail >= 0.5:
        return 1.0
    return 2 * float(special.stdtr(units - 1, special.ndtri(tail) * math.sqrt((units - 1) / units)))


def quantile_interval(resampled: np.ndarray, over: str, units: int) -> Interval:
    """Return the 95 % interval from resampled values (R,) of `units` units, see `wider_z`."""
    low, high = bootstrap_ends(resampled, units)
    return Interval(low, high, over)


def bootstrap_ends(resampled: np.ndarray, units: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval from resampled values (R,) of `units` units, see `wider_z`."""
    from scipy import special

    z = wider_z(units)
    low, high = np.quantile(resampled, special.ndtr([-z, z]))
    return float(low), float(high)


def resample_mean(
    values: np.ndarray, counts: np.ndarray | None = None, *, resamples: int = RESAMPLES_MEAN, seed: int = 0
) -> np.ndarray:  # fmt: skip
    """Means (R,) of the rows of `values` (N,) drawn with replacement.

    counts: (N,) how often each value occurs; the values are then distinct and sorted. None: it is counted here. Only
    the counts of distinct values are drawn, so the cost depends on the number of distinct values, not on that of
    examples.
    """
    if counts is None:
        values, counts = np.unique(values, return_counts=True)
    values, counts = values[counts > 0], counts[counts > 0]
    rows = int(counts.sum())
    draws = np.random.default_rng(seed).multinomial(rows, counts / rows, size=resamples)
    return np.asarray(draws @ values / rows)


def resample_confusions(
    labels: np.ndarray,
    firsts: Sequence[np.ndarray],
    seconds: Sequence[np.ndarray],
    score: OfClasses,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> np.ndarray:
    """Differences first - second (R,) of a score of the confusion matrix, the same rows drawn for all models.

    labels and each prediction: (N,) class ids; score: takes (R, 3, C) counts, as of `drawn_counts`, returns (R,). With
    several models per side the scores are averaged. Resampling rows is done by drawing how often each distinct pattern
    of answers occurs.
    """
    columns = [labels, *firsts, *seconds]
    size = max(2, 1 + max(int(column.max()) for column in columns))
    code = np.zeros(len(labels), dtype=np.int64)
    for column in columns:  # renumbered each time, so that the code never outgrows 64 bits
        code = np.unique(code * size + column, return_inverse=True)[1]
    _, example, counts = np.unique(code, return_index=True, return_counts=True)
    truth, sides = labels[example], [[prediction[example] for prediction in side] for side in (firsts, seconds)]
    generator, chunk = np.random.default_rng(seed), max(1, _CHUNK // max(len(counts), 3 * size))
    found = []
    for start in range(0, resamples, chunk):
        drawn = min(chunk, resamples - start)
        draws = generator.multinomial(len(labels), counts / len(labels), size=drawn).astype(np.float64)
        first, second = (
            np.mean([score(drawn_counts(draws, truth, answers, size)) for answers in side], axis=0) for side in sides
        )
        found.append(first - second)
    return np.concatenate(found)


def holm_p_values(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given.

    Comparing them with 0.05 keeps the chance of any false finding in the whole table below 5 %. Source: Holm 1979.
    """
    adjusted, running = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        running = max(running, (len(p_values) - rank) * p_values[index])
        adjusted[int(index)] = min(1.0, running)
    return adjusted
