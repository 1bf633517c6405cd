"""Tasks: how a model is trained and scored; one module for each kind of label.

Each module offers `loss`, `mean_loss`, `metrics`, `interval` and `columns`; those whose rows have labels also
`majority` and `constant_predictions`, and the one with classes `report`. A module is imported when a
run needs it, since it may load torch.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from data.settings import BINARY_SCORES
from data.targets.class_weights import balanced_weights

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from data.splits import DataTask, Splits

TASKS: dict[str, str] = {
    "classification": "runner.tasks.classification",
    "regression": "runner.tasks.regression",
    "mlm": "runner.tasks.mlm",
}


def task_module(kind: str) -> ModuleType:
    """Return the module of a task kind ("classification", "regression", "mlm"); KeyError naming the known kinds."""
    if kind not in TASKS:
        raise KeyError(f"unknown task '{kind}'; known: {', '.join(TASKS)}")
    return importlib.import_module(TASKS[kind])


def always_scored(task: DataTask) -> tuple[str, ...]:
    """Return the scores that every evaluation has whatever data.metrics names: by them a run is known to learn."""
    return ("accuracy", "balanced_accuracy") if task.kind == "classification" else ()


def always_recorded(task: DataTask) -> tuple[str, ...]:
    """Return the scores that every finished run has whatever data.metrics names."""
    if task.kind != "classification":
        return ()
    return (*always_scored(task), "f1_macro", *(BINARY_SCORES if task.num_labels == 2 else ()))


def class_weights(splits: Splits, wanted: str, device: torch.device) -> Tensor | None:
    """Return what each class weighs in the loss, (C,); None where all weigh the same (`wanted` is none)."""
    if wanted == "none":
        return None
    import torch

    return torch.from_numpy(balanced_weights(splits.train.known_labels, splits.task.num_labels)).to(device)


def batch_loss(
    task: ModuleType, logits: Tensor, labels: Tensor, class_weights: Tensor | None, known: np.ndarray | None
) -> Tensor:
    """Return the task's mean loss of a batch; a row without a label counts in the mean and adds nothing.

    known: (B,) which rows have a label, None for all.
    """
    if known is None:
        loss: Tensor = task.loss(logits, labels, class_weights)
        return loss
    chosen = labels.new_tensor(known).bool()
    loss = task.loss(logits[chosen], labels[chosen], class_weights) if known.any() else logits.sum()
    return loss * float(known.mean())
