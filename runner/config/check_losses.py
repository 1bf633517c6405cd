"""Refuses settings of a loss that the task does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.compression.settings.learn import Distil
from models.settings import FITTED_HEAD, FITTED_NGRAMS
from runner.schema import COSINE_LOSSES, Settings
from runner.tasks import likely_task
from runner.tasks.soft_labels import soft_labels

if TYPE_CHECKING:
    from runner.tasks.base import Task


def loss_conflicts(settings: Settings) -> list[str]:
    """Return one line for each loss that the task does not have, with the cure."""
    task, found = likely_task(settings.task, settings.data), []
    if settings.train.loss not in ("auto", *task.losses, *COSINE_LOSSES):
        choices = f"train.loss={', '.join(task.losses)}" if task.losses else "train.loss=auto"
        found.append(
            f"train.loss={settings.train.loss}: the task {task.name} has one loss. Try: {choices}, or task=rank"
        )
    found += _r_drop(settings, task)
    if not task.smooths_labels:
        found += soft_labels(settings, task.name)
    for name, stage in settings.compression.items():
        if isinstance(stage, Distil) and task.soft_losses and stage.soft not in task.soft_losses:
            found.append(
                f"compression.{name}.soft={stage.soft} compares documents of a query, but this task is {task.name}. "
                f"Try: compression.{name}.soft={task.soft_losses[0]}"
            )
    return found


def _r_drop(settings: Settings, task: type[Task]) -> list[str]:
    """Return one line if train.r_drop is set, but training has no dropout, or the task's outputs cannot be compared."""
    model, given = settings.model, f"train.r_drop={settings.train.r_drop:g}"
    if not settings.train.r_drop:
        return []
    if model.family == FITTED_NGRAMS or model.head == FITTED_HEAD:
        return [f"{given} needs training with dropout, but model={model.name} is fitted without. Try: train.r_drop=0"]
    if not task.soft_losses:
        return [f"{given} compares the answers of two passes, which the task {task.name} cannot. Try: train.r_drop=0"]
    return []
