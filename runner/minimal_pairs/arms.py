"""Compares many models on the same pairs: runs that differ only in the seed form one arm; each is compared with the
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.minimal_pairs.results import Result
from runner.record.subject import Subject, names_and_seeds
from runner.statistics.intervals import student_share_interval
from runner.statistics.pair_scores import Difference, macro_difference
from runner.statistics.paired import paired_seeds


@dataclass(frozen=True)
class Arm:
    """Models that differ only in the seed, or one model; accuracies are means over them."""

    name: str
    results: dict[int, Result]  # by seed

    @property
    def accuracies(self) -> list[float]:
        """The accuracy of each model."""
        return [report.whole.accuracy for report, _ in self.results.values()]

    @property
    def mean(self) -> float:
        """The mean accuracy."""
        return float(np.mean(self.accuracies))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of that mean, within 0..1: over seeds (t), of one model over pairs."""
        whole = next(iter(self.results.values()))[0].whole
        return student_share_interval(self.accuracies) if len(self.results) > 1 else (whole.low, whole.high)

    def baseline(self, name: str) -> float | None:
        """Return the mean of a baseline, shorter or unigrams; None if a model has none."""
        found = [vars(report.whole)[name] for report, _ in self.results.values()]
        return None if None in found else float(np.mean(found))

    def against(self, first: Arm) -> Difference:
        """Return how much better it is than another: over seeds if both share at least two, else over the pairs.

        Over the pairs, an outcome is the mean of an arm's models, so that the difference is that of the two accuracies.
        """
        both = [seed for seed in self.results if seed in first.results]
        own, theirs = ([arm.results[seed][0].whole.accuracy for seed in both] for arm in (self, first))
        if tested := paired_seeds([one - other for one, other in zip(own, theirs)]):
            p, interval = tested
            return Difference(float(np.mean(own) - np.mean(theirs)), interval.low, interval.high, p)
        return macro_difference(self._outcomes(), first._outcomes())

    def _outcomes(self) -> dict[str, np.ndarray]:
        """Return the mean outcome of each pair over the models, by paradigm."""
        found = [table.by_paradigm("outcome") for _, table in self.results.values()]
        return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}


def arms_of(subjects: Sequence[Subject], results: Sequence[Result]) -> list[Arm]:
    """Return the arms, in the order of their first models. A run is named by what distinguishes it from the others."""
    found: dict[str, dict[int, Result]] = {}
    for (name, seed), result in zip(names_and_seeds(subjects), results):
        found.setdefault(name, {})[seed] = result
    return [Arm(name, inside) for name, inside in found.items()]
