"""Tests of slices: is a model worse on the rows of a slice than on the rest, or worse than another model there?

Slices are many and overlap, so p-values are Holm-corrected over all shown; slices below LEAST_ROWS are not tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.statistics.intervals import wilson_interval
from runner.statistics.paired import holm_p_values, mcnemar_p

LEAST_ROWS = 30  # in a slice, and outside it
EXACT_BELOW = 1000  # rows in total: Fisher's exact test below, chi-squared from there on
LEAST_EXPECTED = 5.0  # expected rows in a cell, below which chi-squared is not accurate
LEVEL = 0.05


@dataclass(frozen=True)
class SliceResult:
    """A slice compared with the other rows."""

    name: str
    rows: int
    right: int
    share: float  # right / rows
    low: float  # Wilson's 95 % interval of the share
    high: float
    rest: float  # share of the other rows that is right
    p: float
    p_holm: float

    @property
    def in_words(self) -> str:
        """Worse or better than the rest, or that no difference is visible."""
        if self.p_holm >= LEVEL:
            return f"no difference visible ({self.rows:,})"
        return "worse than the rest" if self.share < self.rest else "better than the rest"

    @property
    def is_worse(self) -> bool:
        """Is the slice significantly worse than the rest?"""
        return self.p_holm < LEVEL and self.share < self.rest


@dataclass(frozen=True)
class PairedSlice:
    """A slice answered by two models."""

    name: str
    rows: int
    only_first: int  # rows that only the first model gets right
    only_second: int
    p: float
    p_holm: float

    @property
    def difference(self) -> float:
        """Accuracy of the second model on the slice minus that of the first."""
        return (self.only_second - self.only_first) / self.rows

    @property
    def in_words(self) -> str:
        """Which model is better on the slice, or that no difference is visible."""
        if self.p_holm >= LEVEL:
            return f"no difference visible ({self.rows:,})"
        return "B is better" if self.difference > 0 else "A is better"


def usable(is_in: np.ndarray) -> bool:
    """Has a slice, (rows,) bool, enough rows inside and outside to be tested?"""
    inside = int(is_in.sum())
    return LEAST_ROWS <= inside <= len(is_in) - LEAST_ROWS


def difference_p(right: int, rows: int, rest_right: int, rest_rows: int) -> float:
    """Return the p-value of 'accuracy is equal on the slice and on the rest'.

    Fisher's exact test below EXACT_BELOW rows in total, or if a cell has fewer than LEAST_EXPECTED expected rows; else
    Pearson's chi-squared without correction.
    """
    table = np.array([[right, rows - right], [rest_right, rest_rows - rest_right]], np.int64)
    if not table.sum(axis=0).all() or not table.sum(axis=1).all():
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if table.sum() < EXACT_BELOW or expected.min() < LEAST_EXPECTED:
        return _fisher_p(table)
    from scipy.special import chdtrc  # chi2.sf, without the second that scipy.stats takes to load

    return float(chdtrc(1, ((table - expected) ** 2 / expected).sum()))


def _fisher_p(table: np.ndarray) -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact(table).pvalue)


def against_the_rest(is_right: np.ndarray, slices: Sequence[tuple[str, np.ndarray]]) -> list[SliceResult]:
    """Compare each slice with the other rows. is_right: (rows,) bool; slices: names and (rows,) bool."""
    counts = []
    for name, is_in in slices:
        inside, rest = is_right[is_in], is_right[~is_in]
        counts.append((name, len(inside), int(inside.sum()), len(rest), int(rest.sum())))
    p_values = [difference_p(right, rows, rest_right, rest) for _, rows, right, rest, rest_right in counts]
    return [
        SliceResult(name, rows, right, right / rows, *wilson_interval(right / rows, rows), rest_right / rest, p, holm)
        for (name, rows, right, rest, rest_right), p, holm in zip(counts, p_values, holm_p_values(p_values))
    ]


def between_models(
    first_right: np.ndarray, second_right: np.ndarray, slices: Sequence[tuple[str, np.ndarray]]
) -> list[PairedSlice]:
    """Compare two models on each slice by McNemar's test, the most significant differences first.

    first_right, second_right: (rows,) bool; slices: names and (rows,) bool.
    """
    counts = [
        (name, int(is_in.sum()), int((first_right & ~second_right & is_in).sum()),
         int((second_right & ~first_right & is_in).sum()))
        for name, is_in in slices
    ]  # fmt: skip
    p_values = [mcnemar_p(only_first, only_second) for _, _, only_first, only_second in counts]
    found = [PairedSlice(*count, p, holm) for count, p, holm in zip(counts, p_values, holm_p_values(p_values))]
    return sorted(found, key=lambda one: (one.p_holm, -abs(one.difference)))
