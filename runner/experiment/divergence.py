"""Has a training diverged or learned nothing? Judged from the logged curve on the selection split."""

from __future__ import annotations

from runner.experiment.prepared import PreparedRun
from runner.record.learning_curve import area, collapsed, curve, last, late
from runner.record.metrics import direction


def learning_metrics(prepared: PreparedRun) -> dict[str, float]:
    """Return the area under the curve of the plain training and, where the task can tell, `train/diverged`."""
    found = _learned_nothing(prepared, "train/loss")
    if _higher_is_better(prepared):
        found["train/area"] = area(curve(prepared.folder))
    return found


def detect_divergence(prepared: PreparedRun, begun: int, settled: int) -> dict[str, float]:
    """`train/diverged` of a pruning: it ends at the majority class, or its score collapsed after the last pruning.

    begun: the step of the run at which the pruning began. settled: the number of steps after which no more weights are
    removed.
    """
    found = _learned_nothing(prepared, "prune/loss_task")
    if _higher_is_better(prepared) and collapsed(curve(prepared.folder).since(begun), begun + settled):
        found["train/diverged"] = 1.0
    return found


def _higher_is_better(prepared: PreparedRun) -> bool:
    """Is a higher primary score the better one?"""
    return direction(f"{prepared.splits.select.name}/{prepared.task.metrics[0]}") == "higher"


def _learned_nothing(prepared: PreparedRun, loss_name: str) -> dict[str, float]:
    """`train/diverged` from the last evaluation's scores and the final loss; {} if they do not tell."""
    splits, task = prepared.splits, prepared.task
    logged = {name: last(prepared.folder, f"{splits.select.name}/{name}") for name in task.always_scored}
    scores = {name: value for name, value in logged.items() if value is not None}
    found = task.diverged(splits.train, splits.select, scores, late(prepared.folder, loss_name))
    return {} if found is None else {"train/diverged": float(found)}
