"""The thresholds of a run on sets of labels: fitted to the calibration rows, never to a split that is reported."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.settings import ONE, PER_LABEL
from data.splits import TokenSplit
from runner.experiment.calibration import why_not_calibrated
from runner.experiment.prepared import PreparedRun
from runner.record.thresholds import ThresholdFacts
from runner.tasks.base import Task


def fit_thresholds(prepared: PreparedRun, kept: np.ndarray) -> tuple[Task, Mapping[str, Task], ThresholdFacts | None]:
    """Return the task as it answers from now on, its variants for comparison, and what is recorded of its thresholds.

    kept: (rows, C), the outputs for the split that calibrates. Where these rows train too, nothing is fitted to them.
    """
    task, split = prepared.task, prepared.splits.calibration
    if not task.has_label_sets:
        return task, {}, None
    rule, reason = task.facts.threshold, why_not_calibrated(prepared)
    if reason:
        return task, {}, ThresholdFacts(rule, reason=reason) if rule in (ONE, PER_LABEL) else None
    found = task.fitted(kept, split)
    if found is task:  # a number, the same for every model
        return task, task.variants(kept, split), None
    facts = ThresholdFacts(
        rule, list(found.facts.thresholds), split.name, len(kept), task.unfitted(split)
    )  # fmt: skip
    return found, found.variants(kept, split), facts


def variant_scores(variants: Mapping[str, Task], split: TokenSplit, kept: np.ndarray) -> dict[str, float]:
    """Return the scores of a split by the variants of a task, as `<split>/<score>_<variant>`."""
    found: dict[str, float] = {}
    for ending, task in variants.items():
        values = task.evaluate(task.answers(kept, split), task.always_scored)
        found |= {f"{split.name}/{name}_{ending}": value for name, value in values.items()}
    return found
