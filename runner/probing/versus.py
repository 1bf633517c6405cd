"""Two models on the same probing tasks: the difference of their best layers, with intervals over the reported rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from runner.errors import ConfigError
from runner.probing.results import ProbeReport, Right, TaskReport
from runner.probing.tasks import WORDS
from runner.statistics.pair_scores import Difference, macro_difference
from runner.statistics.paired import holm_p_values


@dataclass(frozen=True)
class VersusLine:
    """One task, or the mean over the tasks of a group."""

    name: str
    rows: int
    first: float
    second: float
    difference: Difference  # of the second minus the first
    p: float  # of tasks corrected over all of them by Holm's method


@dataclass(frozen=True)
class Versus:
    """Two models, by task and by group of tasks."""

    first: str
    second: str
    tasks: list[VersusLine]
    groups: list[VersusLine]


def versus(first: tuple[ProbeReport, Right], second: tuple[ProbeReport, Right]) -> Versus:
    """Compare two reports task by task, each at its best layer on the selection rows.

    Both must have the same tasks. Raises ConfigError if the models do not read the same rows.
    """
    (one, right_one), (two, right_two) = first, second
    best_one = {task.name: right_one[task.name][task.best.name] for task in one.tasks}
    best_two = {task.name: right_two[task.name][task.best.name] for task in two.tasks}
    for mine, theirs in zip(one.tasks, two.tasks, strict=True):
        counts, name = (mine.rows["report"], theirs.rows["report"]), mine.name
        if counts[0] != counts[1] or len(best_one[name]) != len(best_two[name]):
            raise ConfigError(
                f"run probe: {name}: {one.model} reads {counts[0]:,} of the reported rows, {two.model} {counts[1]:,}: "
                "words beyond the longest text of a model, or without a token of it, are left out, so they cannot be "
                "compared row by row. Both results are written. Try: each model by itself, or tasks of whole sentences"
            )
    tasks = [_line(task.name, [task], best_one, best_two) for task in one.tasks]
    corrected = holm_p_values([line.p for line in tasks])
    tasks = [replace(line, p=p) for line, p in zip(tasks, corrected)]
    several = {group: members for group, members in one.groups().items() if [task.name for task in members] != [group]}
    groups = [_line(group, members, best_one, best_two) for group, members in several.items()]
    return Versus(one.model, two.model, tasks, groups)


def _line(
    name: str, tasks: list[TaskReport], first: dict[str, np.ndarray], second: dict[str, np.ndarray]
) -> VersusLine:
    """Return the mean over tasks of both models, and of their difference."""
    names = [task.name for task in tasks]
    if {task.group for task in tasks} == {WORDS} and len({len(first[n]) for n in names}) == 1:
        # All of the same sentences: drawn for each task alone, their errors would seem to cancel out.
        found = macro_difference(*({name: np.mean([values[n] for n in names], 0)} for values in (second, first)))
    else:
        found = macro_difference({n: second[n] for n in names}, {n: first[n] for n in names})
    a, b = (float(np.mean([values[n].mean() for n in names])) for values in (first, second))
    return VersusLine(name, sum(len(first[n]) for n in names), a, b, found, found.p)
