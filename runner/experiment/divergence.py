"""Has a training diverged or learned nothing? Judged from the logged curve on the selection split."""

from __future__ import annotations

import numpy as np

from runner.experiment.prepared import PreparedRun
from runner.record.learning_curve import area, collapsed, curve, diverged, last, late
from runner.record.metrics import direction
from runner.tasks import task_module


def learning_metrics(prepared: PreparedRun) -> dict[str, float]:
    """The area under the curve of the plain training and, for classes, `train/diverged`."""
    found = _majority_predicted(prepared, "train/loss")
    if _higher_is_better(prepared):
        found["train/area"] = area(curve(prepared.folder))
    return found


def detect_divergence(prepared: PreparedRun, begun: int, settled: int) -> dict[str, float]:
    """`train/diverged` of a pruning: it ends at the majority class, or its score collapsed after the last pruning.

    begun: the step of the run at which the pruning began. settled: the number of steps after which no more weights are
    removed.
    """
    found = _majority_predicted(prepared, "prune/loss_task")
    if _higher_is_better(prepared) and collapsed(curve(prepared.folder).since(begun), begun + settled):
        found["train/diverged"] = 1.0
    return found


def _higher_is_better(prepared: PreparedRun) -> bool:
    """Is a higher primary score the better one?"""
    return direction(f"{prepared.splits.select.name}/{prepared.splits.task.metrics[0]}") == "higher"


def _majority_predicted(prepared: PreparedRun, loss_name: str) -> dict[str, float]:
    """`train/diverged` of a classifier from its last accuracies and its loss at the end; empty for other tasks.

    Both accuracies are logged, whatever the run is scored by.
    """
    splits, select = prepared.splits, prepared.splits.select
    accuracy, loss = last(prepared.folder, f"{select.name}/accuracy"), late(prepared.folder, loss_name)
    if splits.task.kind != "classification" or accuracy is None or loss is None:
        return {}
    labels, seen = np.asarray(select.labels.values), np.asarray(splits.train.labels.values)
    majority = task_module(splits.task.kind).majority(seen, labels, "accuracy")
    balanced, present = last(prepared.folder, f"{select.name}/balanced_accuracy"), len(np.unique(labels))
    above_chance = None if balanced is None else balanced - 1 / present
    reason = diverged(
        accuracy=accuracy, majority=majority, loss=loss, classes=splits.task.num_labels, above_chance=above_chance
    )
    return {"train/diverged": float(reason is not None)}
