"""Thresholds for letting a small model answer in place of a large one, with a guarantee on the accuracy lost.

A small model (or an early exit) answers a text if its confidence is at least `threshold`, else the large model does.
The accuracy lost is the harm, P(small answers, is wrong, large is right), minus the help, P(small answers, is right,
large is wrong). Its upper bound is U(harm; delta/2) - L(help; delta/2) with exact Clopper-Pearson limits.
Thresholds are tested from the strictest down; the last one before the first whose bound exceeds the allowed loss is
taken: fixed-sequence testing (Angelopoulos et al. 2021, Learn then Test, arXiv 2110.01052) needs no correction for many
thresholds. The accuracy of the small model alone is the wrong criterion, as the large one may err on the same texts
(Jitkrittum et al. 2023, arXiv 2307.02764). Needs numpy, and scipy for the binomial distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from runner.statistics.rejection import DELTA, ROUNDING, clopper_pearson, least_rows

STEPS = 50  # thresholds that are tested: from 2 % answered by the small model to all
ALL = 0.0  # the threshold at which the small model answers every text
NONE = 1.001  # the threshold at which it answers none: above every probability
MOST_ROWS = 100_000_000  # the most calibration rows that `rows_needed` suggests


@dataclass(frozen=True)
class Deferral:
    """The small model answers if its confidence is at least `threshold`, as it was on `answered` of `rows` rows.

    harms: answered rows with the small model wrong and the large one right; helps: the reverse. bound: with probability
    1 - delta no more accuracy than this is lost (without a guarantee: the upper end of the interval of the estimate).
    """

    threshold: float
    answered: int
    harms: int
    helps: int
    rows: int
    bound: float

    @property
    def loss(self) -> float:
        """Return the accuracy lost on the calibration rows; negative where the small model helps more than it harms."""
        return (self.harms - self.helps) / self.rows


@dataclass(frozen=True)
class NoDeferral:
    """Why no threshold meets the guarantee, and how many calibration rows might be enough (None: no number)."""

    reason: str
    rows_needed: int | None


@dataclass(frozen=True)
class Steps:
    """Thresholds from the strictest down, each with counts over the rows that the small model answers at it."""

    thresholds: np.ndarray  # (S,) falling
    answered: np.ndarray  # (S,) rows, rising
    harms: np.ndarray  # (S,) answered rows with the small model wrong and the large one right
    helps: np.ndarray  # (S,) answered rows with the small model right and the large one wrong
    rows: int


def net_loss_bound(harms: int, helps: int, rows: int, delta: float = DELTA) -> float:
    """Return U(harms; delta/2) - L(helps; delta/2): with probability 1 - delta no more accuracy than this is lost."""
    upper = clopper_pearson(harms, rows, 1 - delta / 2)[1]
    return upper - clopper_pearson(helps, rows, 1 - delta / 2)[0]


def net_loss_interval(harms: int, helps: int, rows: int, delta: float = DELTA) -> tuple[float, float]:
    """Return the interval that contains the accuracy lost with probability 1 - delta."""
    return -net_loss_bound(helps, harms, rows, delta / 2), net_loss_bound(harms, helps, rows, delta / 2)


def fewest_rows(at_most_loss: float, delta: float = DELTA) -> int:
    """Return how many calibration rows, without a single harm, prove that at most `at_most_loss` is lost."""
    return least_rows(at_most_loss, delta / 2)


def rows_needed(harm: float, help_: float, at_most_loss: float, delta: float = DELTA) -> int | None:
    """Return about how many rows certify a threshold with these shares of harms and helps; None: no number does.

    harm, help_: shares of all rows, as observed on a sample.
    """
    if harm - help_ >= at_most_loss:
        return None

    def is_enough(rows: int) -> bool:
        return net_loss_bound(round(harm * rows), round(help_ * rows), rows, delta) <= at_most_loss

    return _first(is_enough, fewest_rows(at_most_loss, delta))


def last_certified(harms: np.ndarray, helps: np.ndarray, rows: int, at_most_loss: float, delta: float = DELTA) -> int:
    """Return the index of the last step before the first whose bound exceeds `at_most_loss`; -1 if step 0 does.

    harms, helps: (S,) counts among `rows` calibration rows, for steps from the strictest to the loosest. The steps must
    not depend on which answers are right. They need not be thresholds of one confidence: any ordered settings work,
    such as joint thresholds of all exits.
    """
    for step, (harm, help_) in enumerate(zip(harms, helps, strict=True)):
        if net_loss_bound(int(harm), int(help_), rows, delta) > at_most_loss:
            return step - 1
    return len(harms) - 1


def deferral_steps(confidence: np.ndarray, small_right: np.ndarray, large_right: np.ndarray) -> Steps:
    """Return the thresholds to test, from few rows answered by the small model to all of them.

    confidence: (N,) of the small model, within 0..1; small_right, large_right: (N,) bool. Rows of equal confidence are
    answered together.
    """
    rows = len(confidence)
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, rows)  # numbers of rows that a threshold can answer
    wanted = np.unique(np.ceil(np.arange(1, STEPS + 1) * rows / STEPS).astype(np.int64))
    answered = np.unique(ends[np.searchsorted(ends, wanted)])
    harms = np.cumsum((large_right & ~small_right)[order])[answered - 1]
    helps = np.cumsum((small_right & ~large_right)[order])[answered - 1]
    thresholds = np.array([_threshold(ranked, int(count)) for count in answered])
    return Steps(thresholds, answered, harms, helps, rows)


def find_deferral(
    confidence: np.ndarray,
    small_right: np.ndarray,
    large_right: np.ndarray,
    at_most_loss: float,
    *,
    delta: float = DELTA,
) -> Deferral | NoDeferral:
    """Return the lowest threshold at which the accuracy lost is certified, or why there is none.

    confidence, small_right, large_right: as in `deferral_steps`, of calibration rows that neither model was trained on
    and that are not reported. at_most_loss: share of all texts, such as 0.005.
    """
    rows = len(confidence)
    if rows < (fewest := fewest_rows(at_most_loss, delta)):
        return NoDeferral(f"it takes at least {fewest:,} calibration rows, but there are {rows:,}", fewest)
    steps = deferral_steps(confidence, small_right, large_right)
    last = last_certified(steps.harms, steps.helps, rows, at_most_loss, delta)
    if last >= 0:
        return _deferral(steps, last, net_loss_bound(int(steps.harms[last]), int(steps.helps[last]), rows, delta))
    first = _deferral(steps, 0, 0.0)
    needed = rows_needed(first.harms / rows, first.helps / rows, at_most_loss, delta)
    only = f"only the large model is right on {first.harms:,}, only the small one on {first.helps:,}"
    most = f"the {first.answered:,} of {rows:,} calibration rows on which the small model is most confident"
    return NoDeferral(f"among {most}, {only}", needed)


def estimate_deferral(
    confidence: np.ndarray,
    small_right: np.ndarray,
    large_right: np.ndarray,
    at_most_loss: float,
    *,
    delta: float = DELTA,
) -> Deferral:
    """Return the lowest threshold at which at most `at_most_loss` is lost on these rows: an estimate, not a guarantee.

    If no threshold qualifies, the small model answers nothing. The arguments are those of `find_deferral`; `bound` is
    the upper end of an interval of level 1 - delta.
    """
    steps = deferral_steps(confidence, small_right, large_right)
    within = np.flatnonzero(steps.harms - steps.helps <= at_most_loss * steps.rows)
    if not len(within):
        return Deferral(NONE, 0, 0, 0, steps.rows, 0.0)
    last = int(within[-1])
    interval = net_loss_interval(int(steps.harms[last]), int(steps.helps[last]), steps.rows, delta)
    return _deferral(steps, last, interval[1])


def _deferral(steps: Steps, step: int, bound: float) -> Deferral:
    threshold, answered = float(steps.thresholds[step]), int(steps.answered[step])
    return Deferral(threshold, answered, int(steps.harms[step]), int(steps.helps[step]), steps.rows, bound)


def _threshold(ranked: np.ndarray, answered: int) -> float:
    """Return the confidence of the last answered row, minus a margin for rounding in other inference engines."""
    if answered == len(ranked):
        return ALL
    above, below = float(ranked[answered - 1]), float(ranked[answered])
    between = max(above - ROUNDING, (below + above) / 2)
    return between if below < between < above else above


def _first(is_enough: Callable[[int], bool], start: int) -> int | None:
    """Return the smallest number from `start` for which this holds, to 0.1 %; None above MOST_ROWS."""
    high = start
    while not is_enough(high):
        high *= 2
        if high > MOST_ROWS:
            return None
    low = max(start - 1, high // 2)
    while high - low > max(1, high // 1000):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
