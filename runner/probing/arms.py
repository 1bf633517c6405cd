"""Compares models on the same tasks: runs that differ only in the seed form an arm; the first is the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.probing.results import ACCURACY, ProbeReport, mean_accuracy
from runner.record.subject import Subject, names_and_seeds
from runner.statistics.intervals import student_share_interval
from runner.statistics.paired import Interval, paired_seeds

ALL_TASKS = "all tasks"


@dataclass(frozen=True)
class Arm:
    """Models that differ only in the seed, or one model."""

    name: str
    reports: dict[int, ProbeReport]  # by seed

    def accuracies(self, group: str) -> dict[int, float]:
        """Return the mean accuracy over the tasks of a group, by seed."""
        return {
            seed: mean_accuracy(report.tasks if group == ALL_TASKS else report.groups()[group])
            for seed, report in self.reports.items()
        }

    def mean(self, group: str) -> float:
        """Return the mean over the seeds."""
        return float(np.mean([*self.accuracies(group).values()]))

    def interval(self, group: str) -> tuple[float, float] | None:
        """Return the 95 % interval of that mean over seeds (t), within 0..1; None for one seed."""
        values = [*self.accuracies(group).values()]
        return student_share_interval(values) if len(values) > 1 else None

    def difference(self, first: Arm, group: str) -> float:
        """Return how much better it is than another arm: over the pairs of seeds that `against` tests, else the
        difference of the means.
        """
        pairs = self._differences(first, group)
        return float(np.mean(pairs)) if len(pairs) > 1 else self.mean(group) - first.mean(group)

    def against(self, first: Arm, group: str) -> tuple[float, Interval] | None:
        """Return p and the interval of the difference over pairs of seeds; None for fewer than two pairs."""
        return paired_seeds(self._differences(first, group))

    def _differences(self, first: Arm, group: str) -> list[float]:
        """Return how much better it is with each seed that both have."""
        own, theirs = self.accuracies(group), first.accuracies(group)
        return [own[seed] - theirs[seed] for seed in own if seed in theirs]


def arms_of(subjects: Sequence[Subject], reports: Sequence[ProbeReport]) -> list[Arm]:
    """Return the arms, in the order of their first models. A run is named by what distinguishes it from the others."""
    found: dict[str, dict[int, ProbeReport]] = {}
    for (name, seed), report in zip(names_and_seeds(subjects), reports):
        found.setdefault(name, {})[seed] = report
    return [Arm(name, inside) for name, inside in found.items()]


def groups_of(arms: Sequence[Arm]) -> list[str]:
    """Return the groups of tasks that all models have; the mean over all tasks if there are none, or several.

    No mean is taken over different scores.
    """
    report = next(iter(arms[0].reports.values()))
    groups = [*report.groups()]
    return groups if len(groups) == 1 or any(task.score != ACCURACY for task in report.tasks) else [*groups, ALL_TASKS]
