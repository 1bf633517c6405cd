"""Thresholds below which a model answers "unsure", with a guarantee that few of the given answers are wrong.

The guarantee: with probability 1 - delta over the calibration rows, the error rate among answered texts is at most
alpha. That rate need not fall as the threshold rises, so neither the observed error nor conformal risk control ensures
it. Fixed-sequence testing does (Angelopoulos et al. 2021, Learn then Test, arXiv 2110.01052): three sequences of
growing answered sets, exact binomial tests, each sequence at delta / 3. Needs numpy; scipy for the binomial.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

DELTA = 0.05  # chance over calibration rows that the promise does not hold
FOLDS_MARGIN = 2  # DELTA is divided by it if the answers come from runs of folds; the promise then holds in simulation
STARTS = (0.25, 0.5, 0.75)  # answered shares at which the sequences start; a single start fails if the surest are wrong
STEPS = 50  # in a sequence over all rows
ROUNDING = 1e-6  # by which probabilities may differ between inference engines
ALL = -1.0  # the threshold at which every text is answered: below every probability
OFFERED = (
    0.002,
    0.005,
    *(percent / 100 for percent in range(1, 51)),
)  # shares of errors to offer where the requested one cannot be promised


@dataclass(frozen=True)
class Threshold:
    """A text is answered if its confidence is above `threshold`: true of `answered` rows, `errors` of them wrong."""

    threshold: float
    answered: int
    errors: int


@dataclass(frozen=True)
class NoThreshold:
    """Why no threshold keeps the promise, phrased to follow "at most 5 % wrong"."""

    reason: str


def least_rows(alpha: float, level: float) -> int:
    """Return how many rows, without a single mistake, prove at this level that at most `alpha` of all are wrong."""
    return math.ceil(math.log(level) / math.log1p(-alpha))


def chance_of_errors(errors: np.ndarray | int, rows: np.ndarray | int, alpha: float) -> np.ndarray:
    """Return P(Binomial(rows, alpha) <= errors): the chance of so few errors if a share `alpha` of all is wrong."""
    from scipy import special

    return np.asarray(special.bdtr(np.asarray(errors, np.float64), np.asarray(rows, np.int64), alpha))


def clopper_pearson(count: int, rows: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact limits of a share, given `count` in `rows`; each limit alone holds at `level`.

    A two-sided 95 % interval has level 0.975. Source: Clopper & Pearson 1934.
    """
    from scipy import special

    low = float(special.betaincinv(count, rows - count + 1, 1 - level)) if count else 0.0
    return low, float(special.betaincinv(count + 1, rows - count, level)) if count < rows else 1.0


def find_threshold(
    confidence: np.ndarray,
    is_wrong: np.ndarray,
    alpha: float,
    *,
    delta: float = DELTA,
    models: int = 1,
    usual: int | None = None,
) -> Threshold | NoThreshold:
    """Return the threshold that answers most texts with at most `alpha` of the answers wrong, or why there is none.

    confidence: (rows,) of the answers, each within 0..1; is_wrong: (rows,) bool; both of calibration rows that were
    neither trained on nor reported. models: how many were compared on these rows; each is tested at delta / models.
    usual: the number of rows that STARTS are shares of, all by default; it must not depend on the labels.
    """
    level, rows = delta / models / len(STARTS), len(confidence)
    if rows < (least := least_rows(alpha, level)):
        return NoThreshold(f"it needs at least {least:,} rows without a single mistake, but has {rows:,}")
    order = np.argsort(-confidence, kind="stable")
    ranked, errors = confidence[order], np.cumsum(is_wrong[order])
    sequences = answered_counts(ranked, least, rows if usual is None else usual)
    if best := max(_last_passed(errors, counts, alpha, level) for counts in sequences):
        return Threshold(_threshold(ranked, best), best, int(errors[best - 1]))
    first = int(min(counts[0] for counts in sequences))
    return NoThreshold(
        f"of {rows:,} rows, {int(errors[first - 1]):,} of the {first:,} most confident answers are wrong"
    )


def smallest_promise(
    confidence: np.ndarray,
    is_wrong: np.ndarray,
    *,
    delta: float = DELTA,
    models: int = 1,
    usual: int | None = None,
) -> tuple[float, Threshold] | None:
    """Return the smallest share of errors in OFFERED that can be promised, and its threshold; None if none can.

    The arguments are those of `find_threshold`.
    """
    for alpha in OFFERED:
        found = find_threshold(confidence, is_wrong, alpha, delta=delta, models=models, usual=usual)
        if isinstance(found, Threshold):
            return alpha, found
    return None


def answered_counts(ranked: np.ndarray, least: int, usual: int) -> list[np.ndarray]:
    """Return the numbers of answered rows that each sequence tests, in its order.

    ranked: (rows,) descending confidences; least: rows that any test needs. Rows of equal confidence are answered
    together: a number that falls among them moves up to the last of them.
    """
    rows = len(ranked)
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, rows)  # numbers of rows that a threshold can answer
    found = []
    for share in STARTS:
        first = min(max(least, round(share * usual)), rows)
        counts = np.append(np.arange(first, rows, max(1, round(usual / STEPS))), rows)
        found.append(np.unique(ends[np.searchsorted(ends, counts)]))
    return found


def _last_passed(errors: np.ndarray, counts: np.ndarray, alpha: float, level: float) -> int:
    """Return the last number of answered rows before a test fails; 0 if the first test fails."""
    failed = chance_of_errors(errors[counts - 1], counts, alpha) > level
    passed = int(failed.argmax()) if failed.any() else len(counts)
    return int(counts[passed - 1]) if passed else 0


def _threshold(ranked: np.ndarray, answered: int) -> float:
    """Return the confidence of the first unanswered row, plus a margin for rounding in other inference engines."""
    if answered == len(ranked):
        return ALL
    below, above = float(ranked[answered]), float(ranked[answered - 1])
    between = min(below + ROUNDING, (below + above) / 2)
    return between if below < between < above else below
