"""How fast runs learn and whether they learned at all, from their curves on the selection split.

    goal = target([curve(folder) for folder in baselines])
    steps_to(curve(other), goal)     # (3250, True): the step at which the other run reaches the baseline's score

Definitions: a score is smoothed as the mean of the last three evaluations; a target is the mean over seeds of the
baseline's best smoothed score; a run reaches it at the first step at which its own smoothed score is no less; a run
that never does counts with all its steps and is flagged. A target of best single evaluations would be out of reach: the
highest
of 20 noisy ones lies above every mean of three, for the baseline too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runner.record.folder import POINTS, read_record
from runner.record.metrics import direction
from runner.record.validation import point

SMOOTH = 3  # evaluations
ROUNDING = 1e-9  # of their mean
FELL, WITHIN = 0.10, 1  # a collapse: a score that falls this far within that many evaluations, and stays there


@dataclass(frozen=True)
class Curve:
    """Scores (higher is better) at optimizer steps, and the steps of the whole run."""

    steps: np.ndarray
    scores: np.ndarray
    total: int

    def since(self, step: int) -> Curve:
        """Return the part after a step."""
        return Curve(self.steps[self.steps > step], self.scores[self.steps > step], self.total)


def curve(folder: Path, metric: str | None = None) -> Curve:
    """Return the curve in a run folder; metric: the selection split's primary score by default.

    ValueError for a run without a record, without such points, or whose score is better lower.
    """
    record = read_record(folder)
    if record is None:
        raise ValueError(f"{folder} holds no run")
    primary = record.data.primary.partition("/")[2]
    metric = metric or f"{list(record.data.rows)[1]}/{primary}"
    if direction(metric) != "higher":
        raise ValueError(f"{metric} is better {direction(metric)}; curves are only for scores that are better higher")
    found = points(folder, metric)
    if not found:
        raise ValueError(f"{folder} logged no {metric}")
    steps = sorted(found)
    total = int(record.metrics.get("train/steps", steps[-1]))
    return Curve(np.array(steps), np.array([found[step] for step in steps]), total)


def points(folder: Path, metric: str) -> dict[int, float]:
    """Return the logged values of a metric by step; of a step that a resumed run repeated, the later value."""
    path = folder / POINTS
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return {int(logged["step"]): logged[metric] for line in lines if (logged := point(line)) and metric in logged}


def last(folder: Path, metric: str) -> float | None:
    """Return the last logged value of a metric, None if there is none."""
    found = points(folder, metric)
    return found[max(found)] if found else None


def late(folder: Path, metric: str) -> float | None:
    """Return the mean of the last tenth of a metric's logged values, None if there are none.

    The last value alone may be that of a single batch.
    """
    found = points(folder, metric)
    steps = sorted(found)[-max(1, len(found) // 10) :]
    return float(np.mean([found[step] for step in steps])) if found else None


def target(baseline: list[Curve], share: float = 1.0) -> float:
    """Return the mean over runs of their best smoothed score, times `share` (0.99: nearly there)."""
    return share * float(np.mean([smoothed(run).max() for run in baseline]))


def smoothed(run: Curve) -> np.ndarray:
    """Return the mean of the last three scores from the third evaluation on; of fewer, the mean of all."""
    width = min(SMOOTH, len(run.scores))
    return np.convolve(run.scores, np.full(width, 1 / width), mode="valid")


def steps_to(run: Curve, goal: float) -> tuple[int, bool]:
    """Return the first step whose smoothed score is `goal`, or (all steps, False)."""
    for step, score in zip(run.steps[SMOOTH - 1 :], smoothed(run)):
        if score >= goal - ROUNDING:
            return int(step), True
    return run.total, False


def area(run: Curve) -> float:
    """Return the mean score over the steps from the first evaluation to the last; 1 for a run that is right from the
    start.
    """
    if len(run.steps) < 2:
        return float(run.scores.mean())
    return float(np.trapezoid(run.scores, run.steps) / (run.steps[-1] - run.steps[0]))


def collapsed(run: Curve, after: int) -> bool:
    """Did the score fall by more than 10 points between two evaluations after step `after`, without recovering?"""
    for index in range(1, len(run.scores)):
        before = run.scores[index - WITHIN]
        if run.steps[index] > after and (run.scores[index:] < before - FELL).all():
            return True
    return False
